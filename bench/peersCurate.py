"""CSV -> one CSV per date, the work of `curate`, with pandas, DuckDB or Polars. Prints seconds, peak MiB and rows as JSON.

Usage: python peersCurate.py pandas|pandas-text|duckdb|polars FILE FOLDER
"""

import json
import os
import resource
import shutil
import sys
import time
from pathlib import Path

engine, file, folder = sys.argv[1:]
column = "booked_at"
with open(file, encoding="utf-8") as lines:
    columns = lines.readline().rstrip("\n").split(",")
column = next(name for name in columns if "date" in name or name == column)
shutil.rmtree(folder, ignore_errors=True)
os.makedirs(folder)
started = time.perf_counter()
if engine.startswith("pandas"):
    import pandas

    frame = pandas.read_csv(file, dtype=str if engine == "pandas-text" else None, keep_default_na=engine == "pandas")
    pandas.to_datetime(frame[column])
    for day, part in frame.groupby(frame[column].str[:10]):
        os.makedirs(f"{folder}/dt_reference={day}")
        part.to_csv(f"{folder}/dt_reference={day}/file.csv", index=False)
elif engine == "duckdb":
    import duckdb

    duckdb.execute(f"SET threads TO {os.environ.get('ENGINE_THREADS', '1')}")
    duckdb.execute(
        f"COPY (SELECT *, substr({column}, 1, 10) AS dt_reference FROM read_csv('{file}', all_varchar=true)) "
        f"TO '{folder}' (FORMAT csv, HEADER, PARTITION_BY (dt_reference), OVERWRITE_OR_IGNORE)"
    )
else:
    import polars

    frame = polars.scan_csv(file, infer_schema=False).with_columns(
        polars.col(column).str.slice(0, 10).alias("dt_reference")
    )
    frame.sink_csv(
        polars.PartitionBy(folder, key="dt_reference", include_key=False)
        if hasattr(polars, "PartitionBy")
        else polars.PartitionByKey(folder, by="dt_reference", include_key=False),
        mkdir=True,
    )
seconds = time.perf_counter() - started
rows = 0
for part in Path(folder).rglob("*.csv"):
    with open(part, "rb") as data:
        rows += sum(1 for _ in data) - 1
shutil.rmtree(folder)
print(
    json.dumps(
        {
            "seconds": seconds,
            "peakMiB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "rows": rows,
        }
    )
)
