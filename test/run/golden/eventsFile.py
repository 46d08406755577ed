"""Writes eventsFile.json: some rows of a run, and the bytes of the event file that TensorBoard's own writer makes of them.

    pip install tensorboard==2.21.0
    python eventsFile.py
"""

import json
import pathlib
import tempfile

from tensorboard.compat.proto.event_pb2 import Event, SessionLog
from tensorboard.compat.proto.summary_pb2 import Summary
from tensorboard.summary.writer.record_writer import RecordWriter

rows = [
    {"seq": 1, "timeMs": 2000.25, "record": {"type": "step", "step": 1, "epoch": 1, "loss": 2.302585, "accuracy": 0.0, "learningRate": 0.01}},
    {"seq": 2, "timeMs": 3000, "record": {"type": "step", "step": 300, "epoch": 2, "loss": 1e-30, "accuracy": 1, "learningRate": 1}},
    {"seq": 3, "timeMs": 1795406068012.5, "record": {"type": "test", "step": 70000, "epoch": 3, "loss": -0.5, "accuracy": 0.75, "samples": 10, "robustAccuracy": 0.25, "robustSamples": 4}},
]

tags = {
    "step": {"loss": "train/loss", "accuracy": "train/accuracy", "learningRate": "train/learning_rate"},
    "test": {"loss": "test/loss", "accuracy": "test/accuracy", "robustAccuracy": "test/robust_accuracy"},
}

with tempfile.NamedTemporaryFile() as file:
    writer = RecordWriter(file)
    writer.write(Event(wall_time=1.5, file_version="brain.Event:2").SerializeToString())
    writer.write(Event(wall_time=1.5, step=1, session_log=SessionLog(status=SessionLog.START)).SerializeToString())
    for row in rows:
        record = row["record"]
        values = [Summary.Value(tag=tag, simple_value=record[key]) for key, tag in tags[record["type"]].items()]
        event = Event(wall_time=row["timeMs"] / 1000, step=record["step"], summary=Summary(value=values))
        writer.write(event.SerializeToString(deterministic=True))
    writer.flush()
    written = pathlib.Path(file.name).read_bytes()

golden = {"rows": rows, "bytes": written.hex()}
pathlib.Path(__file__).with_suffix(".json").write_text(json.dumps(golden, indent=2) + "\n")
