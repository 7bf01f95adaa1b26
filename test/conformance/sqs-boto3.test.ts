import { execFile, execFileSync } from "node:child_process";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Target, target } from "./target.ts";

/** The same endpoint through botocore: other serialisation, pagination and error parsing than the JavaScript SDK. */
const hasBoto3 = (() => {
  try {
    execFileSync("python3", ["-c", "import boto3"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
})();

let t: Target;
beforeAll(async () => {
  t = await target();
});
afterAll(() => t.close());

/** Runs Python with `sqs`, `logs`, `cloudwatch` clients, `name`, and `show`, which adds to the returned list. */
async function python(name: string, code: string): Promise<unknown[]> {
  const preamble = `
import boto3, datetime, json, time
from botocore.config import Config
shown = []
show = shown.append
name = ${JSON.stringify(name)}
keys = dict(endpoint_url=${JSON.stringify(t.endpoint)}, region_name="us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
sqs, cloudwatch = boto3.client("sqs", **keys), boto3.client("cloudwatch", **keys)
logs = boto3.client("logs", config=Config(inject_host_prefix=False), **keys)
`;
  const script = `${preamble}${code}\nprint(json.dumps(shown))`;
  const { stdout } = await promisify(execFile)("python3", ["-c", script], { timeout: 25_000 });
  return JSON.parse(stdout) as unknown[];
}

describe.skipIf(!hasBoto3)("boto3 (skipped where python3 has no boto3)", () => {
  it("works with queues", async () => {
    const name = t.uniqueName("boto");
    const shown = await python(
      name,
      `
url = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "5"}, tags={"a": "b"})["QueueUrl"]
sqs.send_message(QueueUrl=url, MessageBody="hé", MessageAttributes={"b": {"DataType": "Binary", "BinaryValue": b"\\x00\\x01"}})
message = sqs.receive_message(QueueUrl=url, MessageAttributeNames=["All"], AttributeNames=["All"], WaitTimeSeconds=1)["Messages"][0]
show(message["Body"])
show(list(message["MessageAttributes"]["b"]["BinaryValue"]))
sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
show(boto3.resource("sqs", **keys).get_queue_by_name(QueueName=name).attributes["VisibilityTimeout"])
try:
  sqs.get_queue_url(QueueName=name + "-none")
except sqs.exceptions.QueueDoesNotExist as error:
  show(error.response["Error"]["Code"])
show([page["QueueUrls"] for page in sqs.get_paginator("list_queues").paginate(QueueNamePrefix=name)] == [[url]])
`,
    );
    expect(shown).toEqual(["hé", [0, 1], "5", "AWS.SimpleQueueService.NonExistentQueue", true]);
  });

  it("works with logs, and follows them live", async () => {
    const shown = await python(
      `/${t.uniqueName("boto")}`,
      `
logs.create_log_group(logGroupName=name, tags={"a": "b"})
logs.create_log_stream(logGroupName=name, logStreamName="s")
now = int(time.time() * 1000)
logs.put_log_events(logGroupName=name, logStreamName="s", logEvents=[dict(timestamp=now, message=f"m{i}") for i in range(20)])
pages = logs.get_paginator("filter_log_events").paginate(logGroupName=name, filterPattern="m1", PaginationConfig=dict(PageSize=3))
show([event["message"] for page in pages for event in page["events"]])
group = logs.describe_log_groups(logGroupNamePrefix=name)["logGroups"][0]
stream = logs.start_live_tail(logGroupIdentifiers=[group["logGroupArn"]])["responseStream"]
for event in stream:
  if "sessionStart" in event:
    logs.put_log_events(logGroupName=name, logStreamName="s", logEvents=[dict(timestamp=now, message="live")])
  elif event["sessionUpdate"]["sessionResults"]:
    show(event["sessionUpdate"]["sessionResults"][0]["message"])
    break
stream.close()
`,
    );
    const ones = ["m1", ...Array.from({ length: 10 }, (_, index) => `m1${index}`)];
    expect(shown).toEqual([ones, "live"]);
  });

  it("works with metrics, compressed when they are many", async () => {
    const shown = await python(
      t.uniqueName("boto"),
      `
values = [float(i) for i in range(1, 101)]
data = [dict(MetricName="many", Values=values, Counts=[1.0] * 100, Dimensions=[dict(Name="n", Value=str(n))]) for n in range(100)]
cloudwatch.put_metric_data(Namespace=name, MetricData=data + [dict(MetricName="one", Value=3, Unit="Count")])
now = datetime.datetime.now(datetime.timezone.utc)
span = dict(StartTime=now - datetime.timedelta(minutes=5), EndTime=now + datetime.timedelta(minutes=1))
show(len(cloudwatch.list_metrics(Namespace=name)["Metrics"]))
points = cloudwatch.get_metric_statistics(Namespace=name, MetricName="one", Period=60, Statistics=["Sum", "Average"], **span)["Datapoints"]
show([points[0]["Sum"], points[0]["Average"], points[0]["Unit"]])
metric = dict(Namespace=name, MetricName="many", Dimensions=[dict(Name="n", Value="7")])
query = dict(Id="a", MetricStat=dict(Metric=metric, Period=60, Stat="p90"))
show(cloudwatch.get_metric_data(MetricDataQueries=[query], **span)["MetricDataResults"][0]["Values"])
cloudwatch.put_metric_alarm(AlarmName=name, Namespace=name, MetricName="one", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1, ComparisonOperator="GreaterThanThreshold")
show(cloudwatch.describe_alarms(AlarmNames=[name])["MetricAlarms"][0]["StateValue"])
cloudwatch.delete_alarms(AlarmNames=[name])
`,
    );
    expect(shown).toEqual([101, [3, 3, "Count"], [90], "ALARM"]);
  });
});
