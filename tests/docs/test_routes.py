"""docs/http-api.md has every route and command, and no other."""

from docs import messages, routes
from docs.tree import assert_none, repository


def test_the_page_has_every_route():
    tree = repository()
    table = tree.text(routes.TABLE)
    assert len(routes.routes_of_table(table)) >= 28
    assert_none(routes.compare_routes(table, tree.text(routes.PAGE)))


def test_the_page_has_every_command():
    described = messages.describe(
        "entrepot/auth/v1/administration.proto", "entrepot/manifest/v1/maintenance.proto"
    )
    real = {
        "POST /entrepot/v1/administer": messages.fields_of_oneof(
            described, ".entrepot.auth.v1.AdministerRequest", "command"
        ),
        "POST /entrepot/v1/maintain": messages.fields_of_oneof(
            described, ".entrepot.manifest.v1.MaintainRequest", "command"
        ),
        "Job": messages.fields_of_oneof(described, ".entrepot.manifest.v1.StartJob", "job"),
    }
    assert [len(names) >= least for names, least in zip(real.values(), (17, 3, 6))] == [True, True, True]
    assert_none(routes.compare_commands(real, repository().text(routes.PAGE)))


# ----------------------------------------------------------------------------------------------------------------------
# The checks find what is wrong.

TABLE = """
enum class RouteFamily {
  kBase,       // /v2/ (and /v2)
  kManifest,   // /v2/N/manifests/<tag or digest>
  // Only of a registry with accounts.
  kToken,      // /token
};
inline constexpr std::array kBaseMethods = {RouteMethod("GET", Need::kAnyToken), RouteMethod("HEAD", Need::kAnyToken)};
inline constexpr std::array kManifestMethods = {RouteMethod("PUT", Need::kPush)};
inline constexpr std::array kTokenMethods = {RouteMethod("GET", Need::kNothing)};
    RouteInfo{RouteFamily::kBase, PathOf::kRegistry, Presence::kAlways, "base", internal::kBaseMethods, "GET, HEAD"},
    RouteInfo{RouteFamily::kManifest, PathOf::kRepository, Presence::kAlways, "manifest",
              internal::kManifestMethods, "PUT"},
    RouteInfo{RouteFamily::kToken, PathOf::kRegistry, Presence::kWithAccounts, "token", internal::kTokenMethods, "GET"},
"""
PAGE = """
| label | path | methods | access |
|---|---|---|---|
| `base` | `/v2/` | GET | any token |
| `manifest` | `/v2/N/manifests/<tag or digest>` | PUT | pull |
| `token` | `/token` | GET, POST | none; *accounts* |

## POST /a
### `one`
### `two`
### `two`
### Job `three`
"""


def test_finds_routes_that_are_wrong():
    assert routes.compare_routes(TABLE, PAGE) == [
        "the page lacks HEAD of base",
        "there is no POST of token",
        "PUT of manifest is ('/v2/N/manifests/<tag or digest>', 'push', False), "
        "not ('/v2/N/manifests/<tag or digest>', 'pull', False)",
    ]


def test_finds_commands_that_are_wrong():
    assert routes.compare_commands({"POST /a": {"two", "four"}, "Job": {"three", "five"}}, PAGE) == [
        "POST /a: the page lacks four",
        "POST /a: there is no one",
        "POST /a: two is there twice",
        "Job: the page lacks five",
    ]
