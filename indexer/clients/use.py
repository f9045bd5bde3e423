"""What a program in Python does with the generated client: imports all of it, and reads answers."""

import importlib
import pkgutil
import sys

sys.path.insert(0, sys.argv[1])
package = importlib.import_module("joule_indexer_client")
modules = [module.name for module in pkgutil.walk_packages(package.__path__, "joule_indexer_client.")]
for name in modules:
    importlib.import_module(name)

operations = {name.rsplit(".", 1)[1] for name in modules if name.startswith("joule_indexer_client.api.")}
for operation in ("list_jobs", "get_job", "list_distributions", "get_revenue", "get_health"):
    assert operation in operations, operation

from joule_indexer_client.models import ErrorBody, Health, Payout  # noqa: E402

health = Health.from_dict({"ok": True, "phase": "live", "tip_slot": 9, "checkpoint_slot": 8, "reason": None})
assert health.ok and health.tip_slot == 9
assert ErrorBody.from_dict({"code": "not_synced", "message": "wait"}).code == "not_synced"
# Money is a decimal string, whatever its size.
most = str(2**64 - 1)
paid = Payout.from_dict(dict.fromkeys(("provider", "fee", "challenger", "jurors", "client"), most))
assert int(paid.provider) == 2**64 - 1
