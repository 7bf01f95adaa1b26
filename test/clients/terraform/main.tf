terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "endpoint" { type = string }
variable "python_zip" { type = string }
variable "node_zip" { type = string }

# Changed by the test's second apply: whatever is made from it must be updated in place.
variable "stage" {
  type    = string
  default = "one"
}

locals {
  is_first = var.stage == "one"
}

provider "aws" {
  region                      = "us-east-1"
  s3_use_path_style           = true
  skip_metadata_api_check     = true
  skip_region_validation      = true
  skip_credentials_validation = false
  skip_requesting_account_id  = false
  max_retries                 = 2

  endpoints {
    s3             = var.endpoint
    sts            = var.endpoint
    iam            = var.endpoint
    lambda         = var.endpoint
    sqs            = var.endpoint
    cloudwatch     = var.endpoint
    cloudwatchlogs = var.endpoint
  }

  default_tags {
    tags = { project = "terraform-test" }
  }
}

data "aws_caller_identity" "self" {}

# Buckets

resource "aws_s3_bucket" "raw" {
  bucket        = "tf-raw"
  force_destroy = true
  tags          = { layer = "raw", stage = var.stage }
}

resource "aws_s3_bucket_versioning" "raw" {
  bucket = aws_s3_bucket.raw.id
  versioning_configuration { status = "Enabled" }
}

resource "aws_s3_bucket_lifecycle_configuration" "raw" {
  bucket     = aws_s3_bucket.raw.id
  depends_on = [aws_s3_bucket_versioning.raw]
  rule {
    id     = "old-uploads"
    status = "Enabled"
    filter {}
    abort_incomplete_multipart_upload { days_after_initiation = 3 }
    noncurrent_version_expiration { noncurrent_days = 30 }
  }
  rule {
    id     = "tmp"
    status = "Enabled"
    filter {
      and {
        prefix = "tmp/"
        tags   = { keep = "no" }
      }
    }
    expiration { days = 1 }
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "raw" {
  bucket = aws_s3_bucket.raw.id
  rule {
    apply_server_side_encryption_by_default { sse_algorithm = "AES256" }
  }
}

resource "aws_s3_bucket_public_access_block" "raw" {
  bucket                  = aws_s3_bucket.raw.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "raw" {
  bucket = aws_s3_bucket.raw.id
  rule { object_ownership = "BucketOwnerEnforced" }
}

data "aws_iam_policy_document" "raw" {
  statement {
    sid       = "TlsOrLoopback"
    effect    = "Deny"
    actions   = ["s3:DeleteBucketPolicy"]
    resources = [aws_s3_bucket.raw.arn]
    principals {
      type        = "AWS"
      identifiers = [aws_iam_role.python.arn]
    }
  }
}

resource "aws_s3_bucket_policy" "raw" {
  bucket = aws_s3_bucket.raw.id
  policy = data.aws_iam_policy_document.raw.json
}

resource "aws_s3_bucket" "curated" {
  bucket        = "tf-curated"
  force_destroy = true
}

resource "aws_s3_object" "readme" {
  bucket       = aws_s3_bucket.curated.id
  key          = "docs/read me+ü.txt"
  content      = "made by Terraform, ${var.stage}\n"
  content_type = "text/plain"
  metadata     = { author = "terraform" }
  tags         = { kind = "docs", stage = var.stage }
}

# Roles and policies

data "aws_iam_policy_document" "lambda" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["lambda.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "python" {
  name               = "tf-python"
  description        = "curates, ${var.stage}"
  assume_role_policy = data.aws_iam_policy_document.lambda.json
  tags               = { runtime = "python", stage = var.stage }
}

resource "aws_iam_role_policy" "python" {
  name = "buckets"
  role = aws_iam_role.python.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "s3:GetObject", Resource = "${aws_s3_bucket.raw.arn}/*" },
      { Effect = "Allow", Action = "s3:PutObject", Resource = "${aws_s3_bucket.curated.arn}/*" },
      { Effect = "Allow", Action = "sqs:SendMessage", Resource = aws_sqs_queue.failed.arn },
    ]
  })
}

resource "aws_iam_role_policy_attachment" "logs" {
  role       = aws_iam_role.python.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
}

resource "aws_iam_policy" "listing" {
  name        = "tf-listing"
  path        = "/lake/"
  description = "may list"
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Sid = "List", Effect = "Allow", Action = local.is_first ? ["s3:ListBucket"] : ["s3:ListBucket", "s3:ListBucketVersions"], Resource = "*" }]
  })
}

resource "aws_iam_role_policy_attachment" "listing" {
  role       = aws_iam_role.python.name
  policy_arn = aws_iam_policy.listing.arn
}

# Functions

resource "aws_cloudwatch_log_group" "python" {
  name              = "/aws/lambda/tf-python"
  retention_in_days = local.is_first ? 14 : 30
  tags              = { runtime = "python" }
}

resource "aws_lambda_function" "python" {
  function_name    = "tf-python"
  role             = aws_iam_role.python.arn
  runtime          = "python3.12"
  handler          = "curate.handler"
  filename         = var.python_zip
  source_code_hash = filebase64sha256(var.python_zip)
  timeout          = 30
  memory_size      = local.is_first ? 256 : 512
  environment {
    variables = { CURATED = aws_s3_bucket.curated.id, STAGE = var.stage }
  }
  dead_letter_config { target_arn = aws_sqs_queue.failed.arn }
  depends_on = [aws_cloudwatch_log_group.python, aws_iam_role_policy.python, aws_iam_role_policy_attachment.logs]
}

resource "aws_lambda_function" "node" {
  function_name                  = "tf-node"
  role                           = aws_iam_role.python.arn
  runtime                        = "nodejs22.x"
  handler                        = "index.handler"
  filename                       = var.node_zip
  source_code_hash               = filebase64sha256(var.node_zip)
  architectures                  = ["x86_64"]
  reserved_concurrent_executions = 2
  publish                        = true
  timeout                        = local.is_first ? 3 : 10
  ephemeral_storage { size = 1024 }
}

resource "aws_lambda_alias" "live" {
  name             = "live"
  function_name    = aws_lambda_function.node.function_name
  function_version = aws_lambda_function.node.version
}

resource "aws_lambda_function_event_invoke_config" "python" {
  function_name                = aws_lambda_function.python.function_name
  maximum_event_age_in_seconds = 3600
  maximum_retry_attempts       = local.is_first ? 1 : 0
  destination_config {
    on_failure { destination = aws_sqs_queue.failed.arn }
  }
}

resource "aws_lambda_permission" "raw" {
  statement_id   = "raw"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.python.function_name
  principal      = "s3.amazonaws.com"
  source_arn     = aws_s3_bucket.raw.arn
  source_account = data.aws_caller_identity.self.account_id
}

resource "aws_s3_bucket_notification" "raw" {
  bucket = aws_s3_bucket.raw.id
  lambda_function {
    id                  = "curate"
    lambda_function_arn = aws_lambda_function.python.arn
    events              = ["s3:ObjectCreated:*"]
    filter_suffix       = ".csv"
    filter_prefix       = local.is_first ? "" : "in/"
  }
  queue {
    queue_arn = aws_sqs_queue.removed.arn
    events    = ["s3:ObjectRemoved:*"]
  }
  depends_on = [aws_lambda_permission.raw, aws_sqs_queue_policy.removed]
}

# Queues. The provider waits 25 s for each, so none but the two that must depends on another.

resource "aws_sqs_queue" "failed" {
  name                      = "tf-failed"
  message_retention_seconds = 86400
  tags                      = { kind = "failed" }
}

resource "aws_sqs_queue" "removed" {
  name = "tf-removed"
}

resource "aws_sqs_queue" "work" {
  name                       = "tf-work"
  visibility_timeout_seconds = 60
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.failed.arn
    maxReceiveCount     = 3
  })
}

resource "aws_sqs_queue_policy" "removed" {
  queue_url = aws_sqs_queue.removed.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "s3.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = aws_sqs_queue.removed.arn
      Condition = { ArnEquals = { "aws:SourceArn" = aws_s3_bucket.raw.arn } }
    }]
  })
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "tf-errors"
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.python.function_name }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  threshold           = local.is_first ? 0 : 5
  comparison_operator = "GreaterThanThreshold"
}

output "account" { value = data.aws_caller_identity.self.account_id }
output "node_version" { value = aws_lambda_function.node.version }
