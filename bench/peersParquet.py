"""CSV -> one typed Parquet file per date, zstd, with pandas, DuckDB or Polars. Prints seconds, peak MiB, rows, files and bytes as JSON.

Usage: python peersParquet.py pandas|duckdb|polars|count FILE FOLDER     count: only what is in FOLDER
"""

import json
import os
import resource
import shutil
import sys
import time
from pathlib import Path

engine, file, folder = sys.argv[1:]
TEXTS = ["transaction_id", "customer_id", "merchant", "currency", "status"]


def with_pandas():
    from decimal import Decimal

    import pandas
    import pyarrow

    frame = pandas.read_csv(file, dtype=str, keep_default_na=False)
    day = frame["transaction_date"]
    frame["transaction_date"] = pandas.to_datetime(day).dt.date
    frame["amount"] = frame["amount"].map(Decimal)
    schema = pyarrow.schema(
        [
            (name, {"transaction_date": pyarrow.date32(), "amount": pyarrow.decimal128(12, 2)}.get(name, pyarrow.string()))
            for name in frame.columns
        ]
    )
    for value, part in frame.groupby(day):
        os.makedirs(f"{folder}/dt_reference={value}")
        part.to_parquet(f"{folder}/dt_reference={value}/file.parquet", compression="zstd", index=False, schema=schema)


def with_duckdb():
    import duckdb

    duckdb.execute(f"SET threads TO {os.environ.get('ENGINE_THREADS', '1')}")
    types = {"transaction_date": "DATE", "amount": "DECIMAL(12,2)"} | {name: "VARCHAR" for name in TEXTS}
    duckdb.execute(
        f"COPY (SELECT *, transaction_date AS dt_reference FROM read_csv('{file}', types={types})) "
        f"TO '{folder}' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (dt_reference), OVERWRITE_OR_IGNORE)"
    )


def with_polars():
    import polars

    types = {name: polars.String for name in TEXTS}
    frame = polars.scan_csv(
        file, schema_overrides=types | {"transaction_date": polars.Date, "amount": polars.Decimal(12, 2)}
    ).with_columns(polars.col("transaction_date").cast(polars.String).alias("dt_reference"))
    frame.sink_parquet(
        polars.PartitionBy(folder, key="dt_reference", include_key=False)
        if hasattr(polars, "PartitionBy")
        else polars.PartitionByKey(folder, by="dt_reference", include_key=False),
        compression="zstd",
        mkdir=True,
    )


result = {}
if engine != "count":
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    started = time.perf_counter()
    {"pandas": with_pandas, "duckdb": with_duckdb, "polars": with_polars}[engine]()
    result["seconds"] = time.perf_counter() - started
    result["peakMiB"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
import duckdb

files = [str(path) for path in Path(folder).rglob("*.parquet")]
rows = duckdb.execute("SELECT count(*) FROM read_parquet(?)", [files]).fetchone()[0]
types = {name: kind for name, kind, *_ in duckdb.execute("DESCRIBE SELECT * FROM read_parquet(?)", [files]).fetchall()}
assert types["transaction_date"] == "DATE" and types["amount"] == "DECIMAL(12,2)", types
assert types["transaction_id"] == "VARCHAR", types
result |= {"rows": rows, "files": len(files), "bytes": sum(os.path.getsize(path) for path in files)}
shutil.rmtree(folder)
print(json.dumps(result))
