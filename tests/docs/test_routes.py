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
        "entrepot/auth/v1/administration.proto",
        "entrepot/manifest/v1/maintenance.proto",
        "entrepot/upstream/v1/management.proto",
    )
    real = {
        "POST /entrepot/v1/administer": messages.fields_of_oneof(
            described, ".entrepot.auth.v1.AdministerRequest", "command"
        ),
        "POST /entrepot/v1/maintain": messages.fields_of_oneof(
            described, ".entrepot.manifest.v1.MaintainRequest", "command"
        ),
        "POST /entrepot/v1/upstreams": messages.fields_of_oneof(
            described, ".entrepot.upstream.v1.ManageUpstreamsRequest", "command"
        ),
        "Job": messages.fields_of_oneof(described, ".entrepot.manifest.v1.StartJob", "job")
        | messages.fields_of_oneof(described, ".entrepot.upstream.v1.StartUpstreamJob", "job"),
    }
    assert [len(names) >= least for names, least in zip(real.values(), (17, 3, 3, 9))] == [True] * 4
    assert_none(routes.compare_commands(real, repository().text(routes.PAGE)))


# ----------------------------------------------------------------------------------------------------------------------
# The checks find what is wrong.

TABLE = """
inline constexpr std::array kBaseMethods = {RouteMethod("GET", Permission::kAnyToken),
                                            RouteMethod("HEAD", Permission::kAnyToken)};
inline constexpr std::array kManifestMethods = {RouteMethod("PUT", Permission::kPush)};
inline constexpr std::array kTokenMethods = {RouteMethod("GET", Permission::kNone)};
    RouteInfo{RouteFamily::kBase, RoutePattern("/v2/"), Presence::kAlways, "base", internal::kBaseMethods},
    RouteInfo{RouteFamily::kManifest, RoutePattern("/v2/{repository}/manifests/{reference}"), Presence::kAlways,
              "manifest", internal::kManifestMethods},
    RouteInfo{RouteFamily::kToken, RoutePattern("/token"), Presence::kWithAccounts, "token", internal::kTokenMethods},
"""
PAGE = """
| label | path | methods | access |
|---|---|---|---|
| `base` | `/v2/` | GET | any token |
| `manifest` | `/v2/N/manifests/<reference>` | PUT | pull |
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
        "PUT of manifest is ('/v2/N/manifests/<reference>', 'push', False), "
        "not ('/v2/N/manifests/<reference>', 'pull', False)",
    ]


def test_finds_commands_that_are_wrong():
    assert routes.compare_commands({"POST /a": {"two", "four"}, "Job": {"three", "five"}}, PAGE) == [
        "POST /a: the page lacks four",
        "POST /a: there is no one",
        "POST /a: two is there twice",
        "Job: the page lacks five",
    ]
