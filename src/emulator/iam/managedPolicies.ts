import { hash } from "node:crypto";

/** Policies that AWS keeps for everybody, as far as data lakes attach them. Their documents are AWS's published ones. */
export interface ManagedPolicy {
  name: string;
  path: string;
  id: string;
  arn: string;
  createdAt: number;
  updatedAt: number;
  description: string | undefined;
  defaultVersionId: string;
  versions: { id: string; document: string; createdAt: number }[];
  tags: [];
}

interface Statement {
  Sid?: string;
  Effect: "Allow";
  Action: string | string[];
  Resource: string;
}

interface Source {
  name: string;
  path: "/" | "/service-role/";
  version: string;
  created: string;
  /** When the default version came; absent: at creation. */
  updated?: string;
  statements: Statement[];
}

const SOURCES: Source[] = [
  {
    name: "AWSLambdaBasicExecutionRole",
    path: "/service-role/",
    version: "v1",
    created: "2015-04-09T15:03:43Z",
    statements: [
      {
        Effect: "Allow",
        Action: ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
        Resource: "*",
      },
    ],
  },
  {
    name: "AWSLambdaSQSQueueExecutionRole",
    path: "/service-role/",
    version: "v1",
    created: "2018-06-14T21:50:45Z",
    statements: [
      {
        Effect: "Allow",
        Action: [
          "sqs:ReceiveMessage",
          "sqs:DeleteMessage",
          "sqs:GetQueueAttributes",
          "logs:CreateLogGroup",
          "logs:CreateLogStream",
          "logs:PutLogEvents",
        ],
        Resource: "*",
      },
    ],
  },
  {
    name: "AWSLambdaRole",
    path: "/service-role/",
    version: "v1",
    created: "2015-02-06T18:41:28Z",
    statements: [{ Effect: "Allow", Action: ["lambda:InvokeFunction"], Resource: "*" }],
  },
  {
    name: "AWSLambdaExecute",
    path: "/",
    version: "v1",
    created: "2015-02-06T18:40:46Z",
    statements: [
      { Effect: "Allow", Action: ["logs:*"], Resource: "arn:aws:logs:*:*:*" },
      { Effect: "Allow", Action: ["s3:GetObject", "s3:PutObject"], Resource: "arn:aws:s3:::*" },
    ],
  },
  {
    name: "AmazonS3ReadOnlyAccess",
    path: "/",
    version: "v3",
    created: "2015-02-06T18:40:59Z",
    updated: "2023-08-10T21:31:39Z",
    statements: [
      {
        Effect: "Allow",
        Action: ["s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*"],
        Resource: "*",
      },
    ],
  },
  {
    name: "AmazonS3FullAccess",
    path: "/",
    version: "v2",
    created: "2015-02-06T18:40:58Z",
    updated: "2021-09-27T20:16:37Z",
    statements: [{ Effect: "Allow", Action: ["s3:*", "s3-object-lambda:*"], Resource: "*" }],
  },
  {
    name: "AmazonSQSFullAccess",
    path: "/",
    version: "v1",
    created: "2015-02-06T18:41:07Z",
    statements: [{ Effect: "Allow", Action: ["sqs:*"], Resource: "*" }],
  },
  {
    name: "AdministratorAccess",
    path: "/",
    version: "v1",
    created: "2015-02-06T18:39:46Z",
    statements: [{ Effect: "Allow", Action: "*", Resource: "*" }],
  },
];

/** AWS's own ids are not published; these are at least the same everywhere. */
const idOf = (name: string) => `ANPA${hash("sha256", name, "hex").slice(0, 17).toUpperCase()}`;

const POLICIES = new Map<string, ManagedPolicy>(
  SOURCES.map((source) => {
    const arn = `arn:aws:iam::aws:policy${source.path}${source.name}`;
    const createdAt = Date.parse(source.created);
    const updatedAt = source.updated === undefined ? createdAt : Date.parse(source.updated);
    const document = JSON.stringify({ Version: "2012-10-17", Statement: source.statements });
    const policy: ManagedPolicy = {
      name: source.name,
      path: source.path,
      id: idOf(source.name),
      arn,
      createdAt,
      updatedAt,
      description: undefined,
      defaultVersionId: source.version,
      versions: [{ id: source.version, document, createdAt: updatedAt }],
      tags: [],
    };
    return [arn, policy];
  }),
);

export const managedPolicy = (arn: string): ManagedPolicy | undefined => POLICIES.get(arn);

export const managedPolicies = (): Iterable<ManagedPolicy> => POLICIES.values();
