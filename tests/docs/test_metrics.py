"""docs/metrics-and-logs.md has every metric, log line and audit event of the sources, and no other."""

from docs import metrics
from docs.tree import assert_none, repository


def test_the_page_has_every_metric_and_event():
    tree = repository()
    source = "\n".join(tree.text(file) for file in tree.sources())
    assert len(metrics.names_of_sources(source)) > 80
    assert len(metrics.log_messages(source)) > 20
    assert_none(metrics.compare(source, tree.text(metrics.PAGE)))


# ----------------------------------------------------------------------------------------------------------------------
# The check finds what is wrong.

SOURCE = """
.Name("entrepot_blobs_total").Add({{"result", "ok"}});
PolicyFile::Open("policy", path);
absl::StrCat("entrepot_grpc_", side, "_handled_total")
kPrefix = "entrepot_robot_";
runtime::Log(runtime::LogLevel::kError, "a blob is corrupt",
Log(LogLevel::kInfo,
    "serving", fields);
return Fail("the service failed", status);
std::string why = "too late";
audit_->Write("access", {{"account", account},
"""
PAGE = """
| metric | labels | meaning |
|---|---|---|
| `entrepot_blobs_total` | `result`, `color` | |
| `entrepot_grpc_client_handled_total` | | |
| `entrepot_grpc_server_handled_total` | | |
| `entrepot_gone_total` | | |

| message | level |
|---|---|
| `serving` | info |
| `too late` | info |
| `gone` | info |

| event | fields |
|---|---|
| `login` | |
"""


def test_finds_names_that_are_wrong():
    assert metrics.compare(SOURCE, PAGE) == [
        "the page lacks the metric entrepot_policy_reloads_total",
        "the sources have no metric entrepot_gone_total",
        "the page lacks the log line a blob is corrupt",
        "the page lacks the log line the service failed",
        "the sources have no log line gone",
        "the page lacks the audit event access",
        "the sources have no audit event login",
        "`entrepot_blobs_total`: no metric has a label color",
    ]
