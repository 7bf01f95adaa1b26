"""What dataTools.test.ts does with PyArrow (AWS's SDK for C++) and obstore (Rust's object_store, which Polars, Delta Lake and DataFusion
bring, too): `python3 dataTools.py <scenario>` prints what it saw as one JSON object."""
import datetime
import json
import os
import sys
import urllib.request

ENDPOINT = os.environ["AWS_ENDPOINT_URL"]
MIB = 1024 * 1024
ODD = "odd ü+%&=.bin"


def arrow_files():
    from pyarrow import fs

    return fs.S3FileSystem(
        endpoint_override=ENDPOINT,
        access_key="test",
        secret_key="test",
        region="us-east-1",
        allow_bucket_creation=True,
        allow_bucket_deletion=True,
    )


def rows(count):
    import pyarrow as pa

    return pa.table({"id": list(range(count)), "day": [f"2026-07-0{1 + index % 5}" for index in range(count)]})


def dataset():
    """A partitioned Parquet dataset: written, written again over itself, read with and without a filter."""
    import pyarrow as pa
    from pyarrow import dataset as ds

    files = arrow_files()
    files.create_dir("arrow-data")
    days = ds.partitioning(pa.schema([("day", pa.string())]), flavor="hive")
    options = {"filesystem": files, "format": "parquet", "partitioning": days}
    ds.write_dataset(rows(1000), "arrow-data/lake", **options)
    ds.write_dataset(rows(500), "arrow-data/lake", existing_data_behavior="delete_matching", **options)
    found = ds.dataset("arrow-data/lake", **options)
    return {
        "files": sorted(found.files),
        "rows": found.count_rows(),
        "day": found.to_table(filter=ds.field("day") == "2026-07-03").num_rows,
    }


def files():
    """Streams in parts, seeks, copies, moves, folders, and what is not there."""
    from pyarrow.fs import FileSelector, FileType

    files = arrow_files()
    files.create_dir("arrow-files/folder/inner")
    path = f"arrow-files/folder/{ODD}"
    content = os.urandom(17 * MIB)
    with files.open_output_stream(path, metadata={"Content-Type": "x/y"}) as stream:
        stream.write(content)
    with files.open_input_file(path) as file:
        size = file.size()
        file.seek(12 * MIB)
        middle = file.read(100)
    with files.open_input_stream(path) as stream:
        kind = stream.metadata()["Content-Type"].decode()
        whole = stream.read()
    with files.open_output_stream("arrow-files/empty"):
        pass
    files.copy_file(path, "arrow-files/copy + 1")
    files.move("arrow-files/copy + 1", "arrow-files/moved + 1")
    with files.open_input_stream("arrow-files/moved + 1") as stream:
        moved = stream.read()
    listed = sorted(info.path for info in files.get_file_info(FileSelector("arrow-files", recursive=True)))
    try:
        files.open_input_file("arrow-files/none")
        missing = "opened"
    except FileNotFoundError:
        missing = "FileNotFoundError"
    files.delete_dir("arrow-files/folder")
    left = sorted(info.path for info in files.get_file_info(FileSelector("arrow-files", recursive=True)))
    files.delete_dir("arrow-files")
    return {
        "size": size,
        "same": [middle == content[12 * MIB : 12 * MIB + 100], whole == content, moved == content],
        "type": kind,
        "listed": listed,
        "missing": missing,
        "left": left,
        "gone": files.get_file_info("arrow-files").type == FileType.NotFound,
    }


def store():
    """Conditional writes, parts, ranges, copies, signed URLs, deletions of many."""
    import boto3
    import obstore
    from obstore.store import S3Store

    boto3.client("s3").create_bucket(Bucket="object-store")
    store = S3Store(
        "object-store",
        prefix="a b",
        endpoint=ENDPOINT,
        access_key_id="test",
        secret_access_key="test",
        region="us-east-1",
        client_options={"allow_http": True},
    )

    def refused(call):
        try:
            call()
        except Exception as error:
            return type(error).__name__
        return None

    store.put("log/0.json", b"first", mode="create")
    again = refused(lambda: store.put("log/0.json", b"second", mode="create"))
    old = store.head("log/0.json")["e_tag"]
    store.put("log/0.json", b"third", mode={"e_tag": old})
    stale = refused(lambda: store.put("log/0.json", b"fourth", mode={"e_tag": old}))

    content = os.urandom(11 * MIB)
    store.put(ODD, content, chunk_size=5 * MIB)
    part = bytes(store.get_range(ODD, start=6 * MIB, length=50))
    store.copy(ODD, "copy")
    store.rename("copy", "moved")
    url = obstore.sign(store, "GET", ODD, datetime.timedelta(minutes=1))
    with urllib.request.urlopen(url) as reply:
        signed = reply.read()
    whole = bytes(store.get("moved").bytes())
    listed = sorted(entry["path"] for page in store.list() for entry in page)
    store.delete(listed)
    return {
        "refused": [again, stale],
        "same": [part == content[6 * MIB : 6 * MIB + 50], signed == content, whole == content],
        "listed": listed,
        "missing": refused(lambda: store.get(ODD)),
        "left": sum(len(page) for page in store.list()),
    }


def drop():
    """Drops a CSV file into the lake's raw bucket."""
    lines = "".join(f"{index},2026-07-0{1 + index % 5},näme {index}\n" for index in range(500))
    with arrow_files().open_output_stream("raw-transactions/in/arrow ü+1.csv") as stream:
        stream.write(("id,transaction_date,name\n" + lines).encode())
    return {}


def partitions():
    """Reads the lake's curated CSV partitions as one dataset."""
    import pyarrow as pa
    from pyarrow import dataset as ds

    by_date = ds.partitioning(pa.schema([("dt_reference", pa.string())]), flavor="hive")
    curated = ds.dataset("curated-transactions", filesystem=arrow_files(), format="csv", partitioning=by_date)
    if not curated.files:
        return {"files": 0}
    third = curated.to_table(filter=ds.field("dt_reference") == "2026-07-03")
    return {
        "files": len(curated.files),
        "rows": curated.count_rows(),
        "third": third.num_rows,
        "ids": sum(third["id"].to_pylist()),
    }


print(json.dumps(globals()[sys.argv[1]]()))
