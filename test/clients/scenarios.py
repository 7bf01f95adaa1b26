"""What boto3.test.ts does with boto3: `python3 scenarios.py <scenario>` prints what it saw as one JSON object."""
import base64
import hashlib
import io
import json
import os
import sys
import tempfile
import threading
import time
import zipfile
import zlib
from datetime import datetime, timedelta, timezone

import boto3
import botocore.model
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import ClientError

s3 = boto3.client("s3")
# botocore sends again what failed with BadDigest, for up to twenty seconds.
s3_once = boto3.client("s3", config=Config(retries={"total_max_attempts": 1}))
MIB = 1024 * 1024


def refused(call, **parameters):
    """[code, status, message] of the error that the call must answer."""
    try:
        call(**parameters)
    except ClientError as error:
        details = error.response["Error"]
        return [details["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"], details["Message"]]
    return None


def eventually(check, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = check()
        if found:
            return found
        time.sleep(0.05)
    raise TimeoutError(f"{check.__name__} found nothing within {seconds} s")


def transfers():
    """Managed transfers: parts in parallel, streams of unknown length, ranges."""
    bucket = "boto-transfers"
    s3.create_bucket(Bucket=bucket)
    content = b"0123456789abcdef" * (12 * MIB // 16 + 1)
    config = TransferConfig(multipart_threshold=5 * MIB, multipart_chunksize=5 * MIB, max_concurrency=4)
    progress = []
    lock = threading.Lock()

    def count(size):
        with lock:
            progress.append(size)

    s3.upload_fileobj(
        io.BytesIO(content), bucket, "big.bin", ExtraArgs={"Metadata": {"a": "b"}, "ContentType": "x/y"}, Config=config, Callback=count
    )
    head = s3.head_object(Bucket=bucket, Key="big.bin", ChecksumMode="ENABLED")
    target = io.BytesIO()
    s3.download_fileobj(bucket, "big.bin", target, Config=config)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "small")
        with open(path, "wb") as file:
            file.write(b"small")
        s3.upload_file(path, bucket, "small")
        s3.download_file(bucket, "small", path + ".back")
        with open(path + ".back", "rb") as file:
            small = file.read().decode()
    s3.copy({"Bucket": bucket, "Key": "big.bin"}, bucket, "copy.bin", Config=config)
    copied = s3.get_object(Bucket=bucket, Key="copy.bin", Range="bytes=-16")
    presigned = s3.generate_presigned_url("get_object", Params={"Bucket": bucket, "Key": "small"}, ExpiresIn=60)
    return {
        "sent": sum(progress) == len(content),
        "parts": head["ETag"].strip('"').split("-")[1],
        "metadata": head["Metadata"],
        "type": head["ContentType"],
        "checksumType": head["ChecksumType"],
        "back": target.getvalue() == content,
        "small": small,
        "lastBytes": copied["Body"].read().decode(),
        "rangeOf": copied["ContentRange"] == f"bytes {len(content) - 16}-{len(content) - 1}/{len(content)}",
        "presigned": presigned,
    }


def lists():
    """Paginators and waiters."""
    bucket = "boto-lists"
    s3.create_bucket(Bucket=bucket)
    s3.get_waiter("bucket_exists").wait(Bucket=bucket)
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    keys = sorted(f"{folder}/{name}" for folder in "abc" for name in ["1", "2 +", "ü&", "~"])
    for key in keys:
        s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    s3.put_object(Bucket=bucket, Key=keys[0], Body=b"again")
    s3.delete_object(Bucket=bucket, Key=keys[1])
    s3.get_waiter("object_exists").wait(Bucket=bucket, Key=keys[0])
    s3.get_waiter("object_not_exists").wait(Bucket=bucket, Key=keys[1], WaiterConfig={"Delay": 1, "MaxAttempts": 2})

    def pages(operation, **parameters):
        return list(s3.get_paginator(operation).paginate(Bucket=bucket, **parameters))

    found = [item["Key"] for page in pages("list_objects_v2", PaginationConfig={"PageSize": 5}) for item in page["Contents"]]
    older = [item["Key"] for page in pages("list_objects", PaginationConfig={"PageSize": 4}) for item in page["Contents"]]
    prefixes = [item["Prefix"] for page in pages("list_objects_v2", Delimiter="/", PaginationConfig={"PageSize": 1}) for item in page["CommonPrefixes"]]
    versions = pages("list_object_versions", PaginationConfig={"PageSize": 3})
    s3.get_waiter("bucket_not_exists").wait(Bucket="boto-none")
    batch = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": key} for key in keys[2:]]})
    resource = boto3.resource("s3").Bucket(bucket)
    left = [item.key for item in resource.objects.all()]
    resource.object_versions.delete()
    s3.delete_bucket(Bucket=bucket)
    return {
        "all": found == [key for key in keys if key != keys[1]] and older == found,
        "prefixes": prefixes,
        "versions": sum(len(page.get("Versions", [])) for page in versions),
        "markers": sum(len(page.get("DeleteMarkers", [])) for page in versions),
        "deleted": len(batch["Deleted"]),
        "left": left,
        "gone": refused(s3.head_bucket, Bucket=bucket)[:2],
    }


def writes():
    """Conditional writes and reads, checksums of each algorithm, and refused ones."""
    bucket = "boto-writes"
    s3.create_bucket(Bucket=bucket)
    etag = s3.put_object(Bucket=bucket, Key="k", Body=b"1", IfNoneMatch="*")["ETag"]
    seen = {
        "again": refused(s3.put_object, Bucket=bucket, Key="k", Body=b"2", IfNoneMatch="*")[:2],
        "wrongMatch": refused(s3.put_object, Bucket=bucket, Key="k", Body=b"2", IfMatch='"0"')[:2],
        "match": s3.put_object(Bucket=bucket, Key="k", Body=b"2", IfMatch=etag)["ResponseMetadata"]["HTTPStatusCode"],
        "absent": refused(s3.put_object, Bucket=bucket, Key="none", Body=b"2", IfMatch=etag)[:2],
        "notModified": refused(s3.get_object, Bucket=bucket, Key="k", IfNoneMatch=s3.head_object(Bucket=bucket, Key="k")["ETag"])[:2],
        "algorithms": {},
    }
    expected = {
        "CRC32": zlib.crc32(b"checked").to_bytes(4, "big"),
        "SHA1": hashlib.sha1(b"checked").digest(),
        "SHA256": hashlib.sha256(b"checked").digest(),
    }
    for algorithm, digest in expected.items():
        s3.put_object(Bucket=bucket, Key=algorithm, Body=io.BytesIO(b"checked"), ChecksumAlgorithm=algorithm)
        got = s3.get_object(Bucket=bucket, Key=algorithm, ChecksumMode="ENABLED")
        is_right = base64.b64decode(got[f"Checksum{algorithm}"]) == digest
        seen["algorithms"][algorithm] = [is_right, got["Body"].read().decode()]
    crc32 = base64.b64encode(expected["CRC32"]).decode()
    seen["own"] = s3.put_object(Bucket=bucket, Key="own", Body=b"checked", ChecksumCRC32=crc32)["ChecksumCRC32"] == crc32
    seen["wrong"] = refused(s3_once.put_object, Bucket=bucket, Key="own", Body=b"other", ChecksumCRC32=crc32)[:2]
    seen["wrongMd5"] = refused(s3_once.put_object, Bucket=bucket, Key="own", Body=b"other", ContentMD5="1B2M2Y8AsgTpgAmY7PhCfg==")[:2]
    return seen


def refusals():
    """Codes, statuses and messages as boto3 gives them; exceptions by their class."""
    bucket = "boto-refusals"
    s3.create_bucket(Bucket=bucket)
    aws_lambda, iam, logs = boto3.client("lambda"), boto3.client("iam"), boto3.client("logs")
    caught = []
    for client, exception, call in [
        (s3, "NoSuchKey", lambda: s3.get_object(Bucket=bucket, Key="none")),
        (s3, "NoSuchBucket", lambda: s3.list_objects_v2(Bucket="boto-none")),
        (iam, "NoSuchEntityException", lambda: iam.get_role(RoleName="none")),
        (aws_lambda, "ResourceNotFoundException", lambda: aws_lambda.get_function(FunctionName="none")),
        (logs, "ResourceNotFoundException", lambda: logs.get_log_events(logGroupName="none", logStreamName="none")),
    ]:
        try:
            call()
        except getattr(client.exceptions, exception) as error:
            caught.append(error.response["Error"]["Code"])
    return {
        "caught": caught,
        "noSuchKey": refused(s3.get_object, Bucket=bucket, Key="none"),
        "head": refused(s3.head_object, Bucket=bucket, Key="none"),
        "policy": refused(s3.get_bucket_policy, Bucket=bucket)[:2],
        "lifecycle": refused(s3.get_bucket_lifecycle_configuration, Bucket=bucket)[:2],
        "name": refused(s3.create_bucket, Bucket="UPPER")[:2],
        "notThere": [refused(getattr(boto3.client(service, config=Config(retries={"total_max_attempts": 1})), call)) for service, call in [("glue", "get_databases"), ("sns", "list_topics"), ("apigateway", "get_rest_apis"), ("route53", "list_hosted_zones")]],
        "notDone": refused(s3_once.put_bucket_replication, Bucket=bucket, ReplicationConfiguration={"Role": "arn:aws:iam::000000000000:role/r", "Rules": [{"Status": "Enabled", "Destination": {"Bucket": "arn:aws:s3:::other"}}]})[:2],
        "badSignature": refused(boto3.client("s3", aws_access_key_id="test", aws_secret_access_key="wrong").list_buckets)[:2],
        "badKey": refused(boto3.client("s3", aws_access_key_id="AKIAIOSFODNN7EXAMPLE", aws_secret_access_key="x").list_buckets)[:2],
    }


CURATE = '''
import json, os, urllib.parse, boto3
s3 = boto3.client("s3")
def handler(event, context):
    record = event["Records"][0]
    key = urllib.parse.unquote_plus(record["s3"]["object"]["key"])
    body = s3.get_object(Bucket=record["s3"]["bucket"]["name"], Key=key)["Body"].read()
    s3.put_object(Bucket=os.environ["CURATED"], Key=key, Body=body.upper())
    try:
        s3.delete_object(Bucket=os.environ["CURATED"], Key=key)
    except Exception as error:
        print("refused:", error)
'''


def pipeline():
    """An upload runs a Python function, which may write its output and nothing else."""
    iam, aws_lambda, logs = boto3.client("iam"), boto3.client("lambda"), boto3.client("logs")
    for bucket in ["boto-raw", "boto-curated"]:
        s3.create_bucket(Bucket=bucket)
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]}
    role = iam.create_role(RoleName="boto-curate", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
    iam.get_waiter("role_exists").wait(RoleName="boto-curate")
    iam.attach_role_policy(RoleName="boto-curate", PolicyArn="arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole")
    allowed = [
        {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::boto-raw/*"},
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::boto-curated/*"},
    ]
    iam.put_role_policy(RoleName="boto-curate", PolicyName="buckets", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": allowed}))
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
        # With a name alone the file would be its owner's only, and Lambda is not its owner.
        entry = zipfile.ZipInfo("curate.py")
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, CURATE)
    made = aws_lambda.create_function(
        FunctionName="boto-curate", Runtime="python3.12", Handler="curate.handler", Role=role, Timeout=20,
        Code={"ZipFile": package.getvalue()}, Environment={"Variables": {"CURATED": "boto-curated"}},
    )
    aws_lambda.get_waiter("function_active_v2").wait(FunctionName="boto-curate", WaiterConfig={"Delay": 1})
    aws_lambda.add_permission(FunctionName="boto-curate", StatementId="s3", Action="lambda:InvokeFunction", Principal="s3.amazonaws.com", SourceArn="arn:aws:s3:::boto-raw")
    s3.put_bucket_notification_configuration(
        Bucket="boto-raw",
        NotificationConfiguration={"LambdaFunctionConfigurations": [{"LambdaFunctionArn": made["FunctionArn"], "Events": ["s3:ObjectCreated:*"]}]},
    )
    s3.put_object(Bucket="boto-raw", Key="in/a b+ü.csv", Body=b"id,name\n1,anne\n")

    def output():
        try:
            return s3.get_object(Bucket="boto-curated", Key="in/a b+ü.csv")["Body"].read().decode()
        except s3.exceptions.NoSuchKey:
            return None

    def refusal():
        try:
            events = logs.filter_log_events(logGroupName="/aws/lambda/boto-curate", filterPattern="refused")["events"]
        except logs.exceptions.ResourceNotFoundException:
            return None
        return events and events[0]["message"].strip()

    written = eventually(output)
    said = eventually(refusal)
    answer = aws_lambda.invoke(FunctionName="boto-curate", Payload=json.dumps({"Records": []}))
    error = json.loads(answer["Payload"].read())
    return {"output": written, "refusal": said, "error": [answer["FunctionError"], error["errorType"], error["errorMessage"]]}


def cbor_metrics():
    """CloudWatch over rpc-v2-cbor, which other SDKs choose and botocore can speak."""
    ours = [name for name in botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS if name != "json"]
    botocore.model.PRIORITY_ORDERED_SUPPORTED_PROTOCOLS = ours
    cloudwatch = boto3.client("cloudwatch")
    minute = datetime.now(timezone.utc).replace(second=0, microsecond=0) - timedelta(minutes=5)
    dimensions = [{"Name": "d", "Value": "x"}]
    data = [
        {"MetricName": "m", "Value": 1.5, "Timestamp": minute, "Dimensions": dimensions},
        {"MetricName": "m", "Values": [2, 4], "Counts": [3, 1], "Timestamp": minute, "Dimensions": dimensions},
        *({"MetricName": f"m{index}", "Value": index} for index in range(500)),
    ]
    sent = cloudwatch.put_metric_data(Namespace="cbor", MetricData=data)
    points = cloudwatch.get_metric_statistics(
        Namespace="cbor", MetricName="m", Dimensions=dimensions, StartTime=minute, EndTime=minute + timedelta(minutes=1), Period=60, Statistics=["Sum"]
    )["Datapoints"]
    alarm = {
        "AlarmName": "cbor", "Namespace": "cbor", "MetricName": "m", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1,
        "Threshold": 10, "ComparisonOperator": "GreaterThanThreshold",
    }
    cloudwatch.put_metric_alarm(**alarm)
    found = cloudwatch.describe_alarms(AlarmNames=["cbor"])["MetricAlarms"][0]
    return {
        "protocol": sent["ResponseMetadata"]["HTTPHeaders"]["smithy-protocol"],
        "points": [[point["Timestamp"] == minute, point["Sum"], point["Unit"]] for point in points],
        "metrics": sum(len(page["Metrics"]) for page in cloudwatch.get_paginator("list_metrics").paginate(Namespace="cbor")),
        "alarm": all(found[name] == value for name, value in alarm.items()),
        "gone": refused(cloudwatch.delete_alarms, AlarmNames=["nobody's"]),
        "both": refused(cloudwatch.put_metric_data, Namespace="cbor", MetricData=[{"MetricName": "m", "Value": 1, "Values": [1]}]),
        "notDone": refused(cloudwatch.put_dashboard, DashboardName="d", DashboardBody="{}"),
    }


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]]()))
