# The Python runtime of the embedded endpoint's Lambda: loads the handler, then asks the Runtime API for one invocation
# after another (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). It runs inside the function's process,
# with the standard library alone, and loads as little as it can: what it loads is part of every cold start.
import importlib
import json
import logging
import os
import socket
import struct
import sys
import time
import traceback

import temporary_folder

# A module of the function may have this name.
del sys.modules["temporary_folder"]

LOG_FD = 3
FRAME_TYPE = 0xA55A0003
# Longer events are split by the other side in any case.
MAX_EVENT_CHARS = 1 << 20
TASK_ROOT = os.environ["LAMBDA_TASK_ROOT"]
HOST, PORT = os.environ["AWS_LAMBDA_RUNTIME_API"].split(":")
JSON_LOGS = os.environ.get("AWS_LAMBDA_LOG_FORMAT") == "JSON"
# Since python3.12 answers hold characters beyond ASCII as they are.
ESCAPES = os.environ.get("AWS_EXECUTION_ENV", "") in {f"AWS_Lambda_python3.{minor}" for minor in range(8, 12)}
NO_BREAK_SPACE = "\u00a0"
INIT_WARNING = (
    "LAMBDA_WARNING: Unhandled exception. The most likely cause is an issue in the function code. "
    "However, in rare cases, a Lambda runtime update can cause unexpected function behavior. "
    "For functions using managed runtimes, runtime updates can be triggered by a function change, or can be applied automatically. "
    "To determine if the runtime has been updated, check the runtime version in the INIT_START log entry. "
    "If this error correlates with a change in the runtime version, you may be able to mitigate this error by temporarily "
    "rolling back to the previous runtime version. "
    "For more information, see https://docs.aws.amazon.com/lambda/latest/dg/runtimes-update.html"
)


def write_log_event(text):
    """Writes one log event, newlines included. Frame: type, length in bytes, microseconds since the epoch; then the text."""
    for start in range(0, len(text), MAX_EVENT_CHARS):
        message = text[start : start + MAX_EVENT_CHARS].encode("utf-8", "replace")
        frame = struct.pack(">IIQ", FRAME_TYPE, len(message), int(time.time() * 1_000_000)) + message
        while frame:
            frame = frame[os.write(LOG_FD, frame) :]


class Failure(Exception):
    """What is told of a failure. `type` is the exception's, or one of Lambda's Runtime.* names."""

    def __init__(self, type, message, trace=()):
        super().__init__(message)
        self.type = type
        self.message = message
        self.trace = list(trace)


class RuntimeApi:
    """The Runtime API over one connection. An HTTP client costs tens of milliseconds of every cold start."""

    def __init__(self):
        self.socket = socket.create_connection((HOST, int(PORT)))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""

    def call(self, method, url, body=None, headers=""):
        head = f"{method} /2018-06-01/runtime/{url} HTTP/1.1\r\nHost: {HOST}:{PORT}\r\n{headers}"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        self.socket.sendall(head.encode("latin-1") + b"\r\n" + (body or b""))
        return self.read_answer()

    def read_answer(self):
        while b"\r\n\r\n" not in self.received:
            self.read_more()
        head, self.received = self.received.split(b"\r\n\r\n", 1)
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {}
        for line in lines:
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        length = int(headers.get("content-length", "0"))
        parts = [self.received]
        size = len(self.received)
        while size < length:
            part = self.socket.recv(1 << 20)
            if not part:
                os._exit(0)
            parts.append(part)
            size += len(part)
        everything = b"".join(parts)
        self.received = everything[length:]
        return int(first.split(" ")[1]), headers, everything[:length]

    def read_more(self):
        try:
            part = self.socket.recv(1 << 16)
        except OSError:
            part = b""
        # Without its Runtime API a runtime has nothing left to do.
        if not part:
            os._exit(0)
        self.received += part

    def post_failure(self, url, type, message, trace, request_id=None):
        body = {"errorMessage": message, "errorType": type}
        if request_id is not None:
            body["requestId"] = request_id
        body["stackTrace"] = trace
        header = f"Lambda-Runtime-Function-Error-Type: {type}\r\n" if type.isascii() and type.isprintable() else ""
        self.call("POST", url, to_json(body).encode("utf-8", "surrogatepass"), header)


def to_json(value):
    return json.dumps(value, default=decimal_number, ensure_ascii=ESCAPES)


def decimal_number(value):
    """The one type beyond JSON's own that Lambda takes."""
    decimal = sys.modules.get("decimal")
    if decimal is None or not isinstance(value, decimal.Decimal):
        raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")
    return int(value) if value.is_finite() and value.as_tuple().exponent >= 0 else float(value)


class LambdaContext:
    """https://docs.aws.amazon.com/lambda/latest/dg/python-context.html"""

    def __init__(self, headers):
        self._deadline_ms = int(headers["lambda-runtime-deadline-ms"])
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.invoked_function_arn = headers["lambda-runtime-invoked-function-arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.tenant_id = None
        self.client_context = client_context(headers.get("lambda-runtime-client-context"))
        self.identity = CognitoIdentity({})

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline_ms - int(time.time() * 1000))

    def log(self, message):
        write_log_event(str(message))

    def __repr__(self):
        names = "aws_request_id log_group_name log_stream_name function_name memory_limit_in_mb function_version"
        names += " invoked_function_arn client_context identity tenant_id"
        return shown(self, names.split())


class Members:
    """An object with the attributes that its class names; those that are not in `members` are None."""

    __slots__ = ()

    def __init__(self, members):
        for name in self.__slots__:
            setattr(self, name, members.get(name))

    def __repr__(self):
        return shown(self, self.__slots__)


class CognitoIdentity(Members):
    __slots__ = ("cognito_identity_id", "cognito_identity_pool_id")


class ClientContext(Members):
    __slots__ = ("custom", "env", "client")


class Client(Members):
    __slots__ = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")


def shown(value, names):
    return f"{type(value).__name__}([{','.join(f'{name}={getattr(value, name)}' for name in names)}])"


def client_context(text):
    if not text:
        return None
    context = ClientContext(json.loads(text))
    if context.client is not None:
        context.client = Client(context.client)
    return context


current_request_id = ""


class LambdaLogHandler(logging.Handler):
    """What `logging` writes: one event per record, as text or as JSON."""

    def emit(self, record):
        try:
            write_log_event(json_line(record) if JSON_LOGS else self.format(record))
        except Exception:
            self.handleError(record)


class LambdaLogFilter(logging.Filter):
    def filter(self, record):
        record.aws_request_id = current_request_id
        return True


# What every record has; the others are those that the function gave in `extra`.
OWN_ATTRIBUTES = set(vars(logging.makeLogRecord({}))) | {"message", "asctime", "aws_request_id"}


def timestamp(seconds):
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{int(seconds % 1 * 1000):03d}Z"


def json_line(record):
    line = {
        "timestamp": timestamp(record.created),
        "level": logging.getLevelName(min(50, max(0, record.levelno)) // 10 * 10),
        "message": record.getMessage(),
        "logger": record.name,
    }
    if record.exc_info:
        kind, error, trace = record.exc_info
        line["stackTrace"] = traceback.format_tb(trace)
        line["errorType"] = getattr(kind, "__name__", None)
        line["errorMessage"] = str(error)
    line["requestId"] = current_request_id
    if record.exc_info:
        line["location"] = f"{record.pathname}:{record.funcName}:{record.lineno}"
    for name, value in vars(record).items():
        if name not in OWN_ATTRIBUTES and name not in line:
            line[name] = value
    return json.dumps({name: value for name, value in line.items() if value is not None}, ensure_ascii=False) + "\n"


def set_up_logging():
    # For formatters of the function's own, too.
    logging.Formatter.converter = time.gmtime
    handler = LambdaLogHandler()
    handler.setFormatter(
        logging.Formatter(
            "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s\n", "%Y-%m-%dT%H:%M:%S"
        )
    )
    handler.addFilter(LambdaLogFilter())
    root = logging.getLogger()
    root.addHandler(handler)
    level = os.environ.get("AWS_LAMBDA_LOG_LEVEL", "").upper()
    if JSON_LOGS:
        root.setLevel({"TRACE": "DEBUG", "": "INFO"}.get(level, level))


def load_handler():
    written = os.environ["_HANDLER"]
    module_name, dot, function_name = written.rpartition(".")
    if not dot:
        raise Failure("Runtime.MalformedHandlerName", f"Bad handler '{written}': not enough values to unpack (expected 2, got 1)")
    sys.path.insert(0, TASK_ROOT)
    dotted = module_name.replace("/", ".")
    if dotted.split(".")[0] in sys.builtin_module_names:
        raise Failure(
            "Runtime.BuiltInModuleConflict", f"Cannot use built-in module {module_name} as a handler module"
        )
    try:
        module = importlib.import_module(dotted)
    except ImportError as error:
        raise Failure("Runtime.ImportModuleError", f"Unable to import module '{module_name}': {error}") from error
    except SyntaxError as error:
        trace = [f'  File "{error.filename}" Line {error.lineno}\n    {error.text or ""}']
        raise Failure("Runtime.UserCodeSyntaxError", f"Syntax error in module '{module_name}': {error}", trace) from error
    try:
        return getattr(module, function_name)
    except AttributeError as error:
        raise Failure(
            "Runtime.HandlerNotFound", f"Handler '{function_name}' missing on module '{module_name}'"
        ) from error


def stack_of(error):
    """The frames from the first one on that is not this file's, without the marks that newer Pythons put under a line."""
    frames = traceback.extract_tb(error.__traceback__)
    while len(frames) > 1 and frames[0].filename == __file__:
        del frames[0]
    return traceback.format_list([(frame.filename, frame.lineno, frame.name, frame.line) for frame in frames])


def log_failure(type, message, trace):
    if JSON_LOGS:
        line = {"timestamp": timestamp(time.time()), "level": "ERROR", "errorMessage": message, "errorType": type}
        line.update({"requestId": current_request_id, "stackTrace": trace})
        write_log_event(json.dumps(line, ensure_ascii=False) + "\n")
        return
    lines = [f"[ERROR] {type}: {message}" if message else f"[ERROR] {type}", "Traceback (most recent call last):"]
    for line in (line for entry in trace for line in entry.splitlines()):
        text = line.lstrip(" ")
        lines.append(NO_BREAK_SPACE * (len(line) - len(text)) + text)
    # Without a newline at its end, as on Lambda.
    write_log_event("\n".join(lines))


def main():
    global current_request_id
    api = RuntimeApi()
    set_up_logging()
    temporary_folder.install()
    if sys.argv[1:] == ["--ahead"]:
        # Started before there is an invocation: nothing of the function is loaded until the Runtime API says so.
        del sys.argv[1]
        api.call("GET", "init/begin")
    # This file's folder is on the path because it was started from there; a function must not import from it.
    sys.path = [entry for entry in sys.path if os.path.abspath(entry or ".") != os.path.dirname(os.path.abspath(__file__))]
    try:
        handler = load_handler()
    except Exception as error:
        failure = as_failure(error)
        logging.warning(INIT_WARNING)
        log_failure(failure.type, failure.message, failure.trace)
        api.post_failure("init/error", failure.type, failure.message, failure.trace, "")
        os._exit(1)
    while True:
        status, headers, body = api.call("GET", "invocation/next")
        if status != 200:
            os._exit(1)
        current_request_id = headers["lambda-runtime-aws-request-id"]
        if headers.get("lambda-runtime-trace-id"):
            os.environ["_X_AMZN_TRACE_ID"] = headers["lambda-runtime-trace-id"]
        try:
            context = LambdaContext(headers)
            try:
                event = json.loads(body)
            except ValueError as error:
                raise Failure("Runtime.UnmarshalError", f"Unable to unmarshal input: {error}") from error
            result = handler(event, context)
            try:
                response = result if isinstance(result, bytes) else to_json(result).encode("utf-8")
            except Exception as error:
                raise Failure("Runtime.MarshalError", f"Unable to marshal response: {error}") from error
        except Exception as error:
            fail(api, as_failure(error))
            continue
        sys.stdout.flush()
        status, _, _ = api.call("POST", f"invocation/{current_request_id}/response", response)
        if status >= 500:
            os._exit(1)


def as_failure(error):
    if isinstance(error, Failure):
        return error
    return Failure(type(error).__name__, str(error), stack_of(error))


def fail(api, failure):
    log_failure(failure.type, failure.message, failure.trace)
    sys.stdout.flush()
    url = f"invocation/{current_request_id}/error"
    api.post_failure(url, failure.type, failure.message, failure.trace, current_request_id)


if __name__ == "__main__":
    main()
