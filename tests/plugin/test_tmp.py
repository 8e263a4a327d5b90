"""x"""
from test_same_everywhere import *
import json
def test_x(pytester, monkeypatch):
    """x"""
    asking = Asking(pytester, monkeypatch, SUITE, llmrel_prices=PRICES)
    asking.edit({"cases.jsonl": CASES})
    with Simulator(latency=0.01) as model:
        for i in range(8):
            a=asking.run(model, "--llmrel-tape=record")
            b=asking.run("http://127.0.0.1:9/v1", "--llmrel-tape=replay")
            for x, y in zip(a.report["tests"], b.report["tests"]):
                if same(x) != same(y): print("QQ", i, y["nodeid"], x["unfinished"], y["unfinished"], y["stopped"], y["notes"], json.dumps(y["failures"]))
            import shutil; shutil.rmtree(asking.path/"__tapes__")
        assert 0
