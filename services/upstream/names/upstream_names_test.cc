#include "services/upstream/names/upstream_names.h"

#include <memory>
#include <optional>
#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/status_matchers.h"
#include "services/upstream/names/upstreams_file.h"

namespace entrepot::upstream {
namespace {

using testing::HasSubstr;

constexpr absl::string_view kFile = R"(
upstreams:
  - name: docker.io
  - name: registry.example
    aliases: ["registry.example:5000", other.example]
    repositories: ["team/**", tools]
  - {name: local, url: "http://127.0.0.1:5001"}
  - {name: first, url: "https://twice.example"}
  - {name: second, url: "https://twice.example"}
  - {name: third, url: "https://other.example:8443"}
)";

RepositoryName Repo(const std::string& name) { return RepositoryName::Parse(name).value(); }

std::shared_ptr<const UpstreamsSnapshot> Snapshot(absl::string_view text) {
  const auto snapshot = ParseUpstreams(text, "upstreams.yaml");
  EXPECT_OK(snapshot);
  return snapshot.value();
}

// "docker.io/library/nginx = library/nginx of docker.io", "hosted", or the error's code.
std::string Show(const absl::StatusOr<std::optional<CachedRepository>>& found) {
  if (!found.ok())
    return found.status().code() == absl::StatusCode::kNotFound ? "not found" : found.status().ToString();
  if (!found->has_value()) return "hosted";
  return absl::StrCat((*found)->repository.ToString(), " = ", (*found)->name_at_upstream, " of ", (*found)->upstream);
}

std::string Show(const absl::StatusOr<CachedRepository>& found) {
  if (!found.ok()) return Show(absl::StatusOr<std::optional<CachedRepository>>(found.status()));
  return Show(absl::StatusOr<std::optional<CachedRepository>>(std::make_optional(*found)));
}

TEST(UpstreamNamesTest, FindsTheRepositoryOfAPath) {
  const auto snapshot = Snapshot(kFile);
  struct Case {
    std::string path;
    std::string found;
  };
  const Case cases[] = {
      {"docker.io/library/nginx", "docker.io/library/nginx = library/nginx of docker.io"},
      {"docker.io/nginx", "docker.io/library/nginx = library/nginx of docker.io"},
      {"index.docker.io/nginx", "docker.io/library/nginx = library/nginx of docker.io"},
      {"registry-1.docker.io/grafana/grafana", "docker.io/grafana/grafana = grafana/grafana of docker.io"},
      {"docker.io/a/b/c", "docker.io/a/b/c = a/b/c of docker.io"},
      {"docker.io/docker.io", "docker.io/library/docker.io = library/docker.io of docker.io"},
      {"registry.example/team/app", "registry.example/team/app = team/app of registry.example"},
      {"other.example/tools", "registry.example/tools = tools of registry.example"},
      {"local/app", "local/app = app of local"},
      {"docker.io", "not found"},
      {"registry.example/other", "not found"},
      {"registry.example/team", "not found"},
      {"library/nginx", "hosted"},
      {"docker.iox/nginx", "hosted"},
      {"docker/io/nginx", "hosted"},
      {"team/docker.io/nginx", "hosted"},
      {"unknown.example/nginx", "hosted"},
      // The hosts of URLs are names for `ns` only.
      {"twice.example/app", "hosted"},
      {"127.0.0.1/app", "hosted"},
  };
  for (const Case& test : cases) EXPECT_EQ(Show(snapshot->names.ByPath(Repo(test.path))), test.found) << test.path;
}

TEST(UpstreamNamesTest, FindsTheRepositoryOfANamespace) {
  const auto snapshot = Snapshot(kFile);
  const std::string nginx = "docker.io/library/nginx = library/nginx of docker.io";
  const std::string app = "registry.example/team/app = team/app of registry.example";
  struct Case {
    std::string path;
    std::string ns;
    std::string found;
  };
  const Case cases[] = {
      {"library/nginx", "docker.io", nginx},
      {"nginx", "docker.io", nginx},
      {"nginx", "Docker.IO:443", nginx},
      {"nginx", "registry-1.docker.io", nginx},
      {"nginx", "index.docker.io.", nginx},
      // The name of the same upstream in the path counts once.
      {"docker.io/library/nginx", "docker.io", nginx},
      {"docker.io/nginx", "index.docker.io", nginx},
      {"index.docker.io/library/nginx", "docker.io", nginx},
      // That of another upstream is a part of the repository's name.
      {"docker.io/app", "127.0.0.1:5001", "local/docker.io/app = docker.io/app of local"},
      {"docker.io", "docker.io", "docker.io/library/docker.io = library/docker.io of docker.io"},
      {"team/app", "registry.example", app},
      {"team/app", "registry.example:5000", app},
      {"team/app", "REGISTRY.example:5000", app},
      {"team/app", "other.example", app},
      {"registry.example/team/app", "registry.example:5000", app},
      {"app", "127.0.0.1:5001", "local/app = app of local"},
      {"app", "other.example:8443", "third/app = app of third"},
      {"app", "third", "third/app = app of third"},
      {"other/app", "registry.example", "not found"},
      {"team/app", "registry.example:5001", "not found"},
      {"team/app", "registry.example:80", "not found"},
      {"app", "twice.example", "not found"},
      {"nginx", "docker.io:5000", "not found"},
      {"nginx", "unknown.example", "not found"},
      {"nginx", "", "not found"},
      {"nginx", "docker.io/library", "not found"},
      {"nginx", "https://docker.io", "not found"},
      {"docker.io/nginx", "unknown.example", "not found"},
  };
  for (const Case& test : cases) {
    EXPECT_EQ(Show(snapshot->names.ByNamespace(Repo(test.path), test.ns)), test.found) << test.path << " " << test.ns;
  }
}

TEST(UpstreamNamesTest, FindsTheRepositoryOfTheDefaultUpstream) {
  const auto without = Snapshot(kFile);
  EXPECT_EQ(Show(without->names.OfDefault(Repo("nginx"))), "hosted");

  const auto hub = Snapshot(absl::StrCat(kFile, "default_upstream: docker.io\n"));
  EXPECT_EQ(Show(hub->names.OfDefault(Repo("nginx"))), "docker.io/library/nginx = library/nginx of docker.io");
  EXPECT_EQ(Show(hub->names.OfDefault(Repo("library/nginx"))), "docker.io/library/nginx = library/nginx of docker.io");
  EXPECT_EQ(Show(hub->names.OfDefault(Repo("index.docker.io/nginx"))),
            "docker.io/library/nginx = library/nginx of docker.io");
  EXPECT_EQ(Show(hub->names.OfDefault(Repo("unknown.example/nginx"))),
            "docker.io/unknown.example/nginx = unknown.example/nginx of docker.io");
  EXPECT_EQ(Show(hub->names.OfDefault(Repo("registry.example/team/app"))), "hosted");

  const auto other = Snapshot(absl::StrCat(kFile, "default_upstream: registry.example\n"));
  EXPECT_EQ(Show(other->names.OfDefault(Repo("team/app"))), "registry.example/team/app = team/app of registry.example");
  EXPECT_EQ(Show(other->names.OfDefault(Repo("nginx"))), "not found");
}

TEST(UpstreamNamesTest, AnErrorHasTheNameUnknownCodeAndTheReason) {
  const auto snapshot = Snapshot(kFile);
  const absl::Status unknown = snapshot->names.ByNamespace(Repo("a"), "unknown.example").status();
  EXPECT_THAT(unknown, IsOciError(OciErrorCode::kNameUnknown));
  EXPECT_THAT(std::string(unknown.message()), HasSubstr("there is no upstream \"unknown.example\""));
  const absl::Status forbidden = snapshot->names.ByPath(Repo("registry.example/a")).status();
  EXPECT_THAT(forbidden, IsOciError(OciErrorCode::kNameUnknown));
  EXPECT_THAT(std::string(forbidden.message()), HasSubstr("registry.example"));
  EXPECT_THAT(snapshot->names.ByPath(Repo("docker.io")).status(), IsOciError(OciErrorCode::kNameUnknown));
}

TEST(UpstreamNamesTest, RefusesNamesThatAreTooLongHere) {
  const auto snapshot = Snapshot("{upstreams: [{name: docker.io}], default_upstream: docker.io}");
  // "docker.io/library/" has 18 bytes.
  const std::string longest(255 - 18, 'a');
  EXPECT_EQ(Show(snapshot->names.ByPath(Repo("docker.io/" + longest))),
            absl::StrCat("docker.io/library/", longest, " = library/", longest, " of docker.io"));
  const std::string longer = longest + "a";
  const absl::Status by_path = snapshot->names.ByPath(Repo("docker.io/" + longer)).status();
  EXPECT_THAT(by_path, IsOciError(OciErrorCode::kNameUnknown));
  EXPECT_THAT(std::string(by_path.message()), HasSubstr("256 bytes long"));
  EXPECT_THAT(snapshot->names.ByNamespace(Repo(longer), "docker.io").status(), IsOciError(OciErrorCode::kNameUnknown));
  EXPECT_THAT(snapshot->names.OfDefault(Repo(longer)).status(), IsOciError(OciErrorCode::kNameUnknown));
}

TEST(UpstreamNamesTest, ANameOrAliasComesBeforeTheHostOfAUrl) {
  const auto snapshot = Snapshot(R"(
upstreams:
  - {name: copy, url: "https://quay.io"}
  - {name: quay.io, url: "https://mirror.example"}
)");
  EXPECT_EQ(Show(snapshot->names.ByNamespace(Repo("a"), "quay.io")), "quay.io/a = a of quay.io");
  EXPECT_EQ(Show(snapshot->names.ByNamespace(Repo("a"), "mirror.example")), "quay.io/a = a of quay.io");
}

TEST(UpstreamNamesTest, WithoutUpstreamsEveryRepositoryIsHosted) {
  const auto snapshot = Snapshot("");
  EXPECT_TRUE(snapshot->names.empty());
  EXPECT_FALSE(Snapshot(kFile)->names.empty());
  EXPECT_EQ(Show(snapshot->names.ByPath(Repo("docker.io/nginx"))), "hosted");
  EXPECT_EQ(Show(snapshot->names.OfDefault(Repo("nginx"))), "hosted");
  EXPECT_EQ(Show(snapshot->names.ByNamespace(Repo("nginx"), "docker.io")), "not found");
}

}  // namespace
}  // namespace entrepot::upstream
