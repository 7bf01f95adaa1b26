import { expect, test } from "vitest";
import { isPublicPolicy } from "../../../../src/emulator/s3/publicAccess.ts";

const policy = (more: object) =>
  JSON.stringify({
    Statement: { Effect: "Allow", Principal: "*", Action: "s3:GetObject", Resource: "*", ...more },
  });

test.each([
  [{}],
  [{ Principal: { AWS: ["arn:aws:iam::123456789012:root", "*"] } }],
  [{ Principal: undefined, NotPrincipal: { AWS: "arn:aws:iam::123456789012:root" } }],
  [{ Condition: { StringLike: { "aws:PrincipalArn": "*" } } }],
  [{ Condition: { StringEquals: { "aws:PrincipalArn": ["arn:aws:iam::123456789012:root", "arn:aws:iam::*:root"] } } }],
  [{ Condition: { StringEquals: { "aws:userid": "$" + "{aws:username}" } } }],
  [{ Condition: { StringNotEquals: { "aws:PrincipalAccount": "123456789012" } } }],
  [{ Condition: { IpAddressIfExists: { "aws:SourceIp": "10.1.2.0/24" } } }],
  [{ Condition: { IpAddress: { "aws:SourceIp": "0.0.0.0/1" } } }],
  [{ Condition: { IpAddress: { "aws:SourceIp": "::/0" } } }],
  [{ Condition: { Bool: { "aws:SecureTransport": "true" } } }],
])("%j is public", (more) => {
  expect(isPublicPolicy(policy(more))).toBe(true);
});

test.each([
  [{ Effect: "Deny" }],
  [{ Principal: { AWS: "arn:aws:iam::123456789012:root" } }],
  [{ Principal: { Service: "logging.s3.amazonaws.com" } }],
  [{ Condition: { StringEquals: { "aws:PrincipalAccount": "123456789012" } } }],
  [{ Condition: { IpAddress: { "aws:SourceIp": "10.1.2.0/24" } } }],
  [{ Condition: { ArnLike: { "s3:DataAccessPointArn": "arn:aws:s3:us-east-1:123456789012:accesspoint/*" } } }],
])("%j is not public", (more) => {
  expect(isPublicPolicy(policy(more))).toBe(false);
});
