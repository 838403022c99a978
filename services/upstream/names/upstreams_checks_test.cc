#include "services/upstream/names/upstreams_checks.h"

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/runtime/config/config_loader.h"
#include "services/status/status_matchers.h"
#include "services/upstream/names/upstreams_defaults.h"

namespace entrepot::upstream {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::StartsWith;

struct Found {
  std::vector<std::string> problems;
  std::vector<std::string> warnings;
};

Found Check(absl::string_view yaml) {
  config::v1::Upstreams file;
  runtime::ConfigProblems problems;
  EXPECT_OK(runtime::ParseConfig(yaml, "u.yaml", &file, &problems));
  FillDefaults(&file);
  CheckUpstreams(file, &problems);
  return {problems.LinesOf("u.yaml"), problems.warnings()};
}

// The problems of an entry with these fields, beside its name.
std::vector<std::string> ProblemsOf(absl::string_view fields, absl::string_view name = "a.example") {
  return Check(absl::StrCat("upstreams: [{name: ", name, ", ", fields, "}]")).problems;
}

TEST(UpstreamsChecksTest, AcceptsWhatIsRight) {
  EXPECT_THAT(Check("").problems, IsEmpty());
  const Found found = Check(R"(
default_upstream: hub
upstreams:
  - name: hub
    url: https://registry-1.docker.io
    aliases: [docker.io, "hub.example:5000"]
    credentials: {username: "<token>", password_file: password}
    ca_file: ca.pem
    client_certificate_file: c.pem
    client_key_file: k.pem
    repositories: ["library/*", "**", "a/**"]
    realm_hosts: ["auth.example:5001"]
    tag_ttl: 0s
    stale_while_revalidate: 1h
    stale_max: 0s
    negative_ttl: 0s
    connections_max: 1024
    bytes_max: 200GiB
    pins:
      - {repository: debian, tag: "12", digest: sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef}
    warm:
      - {repository: debian, tags: ["12", stable], platforms: [linux/amd64, linux/arm/v7], interval: 1m}
      - {repository: nginx, tags: [latest]}
  - name: quay.io
    credentials: {helper: /bin/helper}
  - name: 192.0.2.1
)");
  EXPECT_THAT(found.problems, IsEmpty());
  EXPECT_THAT(found.warnings, IsEmpty());
}

TEST(UpstreamsChecksTest, ReportsEveryProblemWithItsLine) {
  EXPECT_THAT(
      Check(R"(upstreams:
  - url: https://a.example
  - name: Docker.io
  - name: local
    tag_ttl: -1s
  - name: quay.io
    nam: x
    connections_max: many
default_upstream: docker.io
)")
          .problems,
      ElementsAre("u.yaml:2: upstreams[0].name: is required", StartsWith("u.yaml:3: upstreams[1].name: \"Docker.io\""),
                  StartsWith("u.yaml:4: upstreams[2].url: is required, since the name \"local\" has no dot"),
                  "u.yaml:5: upstreams[2].tag_ttl: must not be negative", StartsWith("u.yaml:7: "),
                  StartsWith("u.yaml:8: upstreams[3].connections_max: ")));
  EXPECT_THAT(Check("default_upstream: docker.io").problems,
              ElementsAre("u.yaml:1: default_upstream: there is no upstream with the name \"docker.io\""));
  // An alias is not the name.
  EXPECT_THAT(Check("{upstreams: [{name: docker.io}], default_upstream: index.docker.io}").problems,
              ElementsAre(StartsWith("u.yaml:1: default_upstream: there is no upstream")));
}

TEST(UpstreamsChecksTest, RefusesNamesThatAreNoPartOfARepositoryName) {
  const std::string longest(128, 'a');
  EXPECT_THAT(ProblemsOf("url: \"https://a\"", longest), IsEmpty());
  for (const std::string& name : {std::string("Docker.io"), std::string("a/b"), std::string("a_b"), std::string("a..b"),
                                  std::string("-a"), std::string("a."), std::string("\"a:5000\""), longest + "a"}) {
    EXPECT_THAT(ProblemsOf("url: \"https://a\"", name), ElementsAre(StartsWith("u.yaml:1: upstreams[0].name: ")))
        << name;
  }
}

TEST(UpstreamsChecksTest, RefusesNamesThatTwoUpstreamsHave) {
  EXPECT_THAT(Check(R"(upstreams:
  - name: a.example
    aliases: ["b.example:5000", A.example]
  - name: a.example
  - name: c.example
    aliases: [B.Example:5000, no host]
  - name: docker.io
    aliases: [index.docker.io]
  - name: index.docker.io
)")
                  .problems,
              ElementsAre("u.yaml:3: upstreams[0].aliases[1]: \"a.example\" is upstreams[0].name already",
                          "u.yaml:4: upstreams[1].name: \"a.example\" is upstreams[0].name already",
                          "u.yaml:6: upstreams[2].aliases[0]: \"b.example:5000\" is upstreams[0].aliases[0] already",
                          "u.yaml:6: upstreams[2].aliases[1]: must be a host, with or without a port, not \"no host\"",
                          "u.yaml:9: upstreams[4].name: \"index.docker.io\" is upstreams[3].aliases[0] already"));
}

TEST(UpstreamsChecksTest, RefusesUrlsThatAreNoUrlsOfRegistries) {
  EXPECT_THAT(ProblemsOf("url: a.example"),
              ElementsAre(StartsWith("u.yaml:1: upstreams[0].url: \"a.example\" must begin with")));
  EXPECT_THAT(ProblemsOf("url: \"https://u:p@a.example\""),
              ElementsAre("u.yaml:1: upstreams[0].url: must not contain a user: use credentials"));
  EXPECT_THAT(ProblemsOf("url: \"https://a.example/v2\""), ElementsAre(StartsWith("u.yaml:1: upstreams[0].url: ")));
  EXPECT_THAT(ProblemsOf("url: \"http://a.example\""), IsEmpty());
}

TEST(UpstreamsChecksTest, RefusesIncompleteAndContradictoryCredentials) {
  const std::string at = "u.yaml:1: upstreams[0].credentials";
  EXPECT_THAT(ProblemsOf("credentials: {}"), ElementsAre(at + ": must have username and password_file, or helper"));
  EXPECT_THAT(ProblemsOf("credentials: {username: u}"), ElementsAre(at + ".password_file: is required with username"));
  EXPECT_THAT(ProblemsOf("credentials: {password_file: f}"),
              ElementsAre(at + ".username: is required with password_file"));
  EXPECT_THAT(ProblemsOf("credentials: {helper: /h, username: u, password_file: f}"),
              ElementsAre(at + ": must not have helper and also username or password_file"));
  EXPECT_THAT(ProblemsOf("credentials: {helper: docker-credential-ecr-login}"),
              ElementsAre(at + ".helper: must be an absolute path, not \"docker-credential-ecr-login\""));
  EXPECT_THAT(ProblemsOf("credentials: {helper: /h, helper_lifetime: -1s}"),
              ElementsAre(at + ".helper_lifetime: must not be negative"));
  EXPECT_THAT(ProblemsOf("credentials: {username: \"a:b\", password_file: f}"),
              ElementsAre(at + ".username: \"a:b\" must not contain a ':' or a control character"));
  EXPECT_THAT(ProblemsOf("client_key_file: k"),
              ElementsAre("u.yaml:1: upstreams[0].client_certificate_file: is required with client_key_file"));
  EXPECT_THAT(ProblemsOf("client_certificate_file: c"),
              ElementsAre("u.yaml:1: upstreams[0].client_key_file: is required with client_certificate_file"));
}

TEST(UpstreamsChecksTest, WarnsOfPasswordsInClearText) {
  const auto warnings = [](absl::string_view url) {
    return Check(absl::StrCat("upstreams: [{name: a.example, credentials: {helper: /h}, url: \"", url, "\"}]"))
        .warnings;
  };
  EXPECT_THAT(warnings("http://b.example"),
              ElementsAre("upstreams[0].url: passwords for a.example cross the network in clear text"));
  EXPECT_THAT(warnings("http://127.0.0.1:5001"), IsEmpty());
  EXPECT_THAT(warnings("https://b.example"), IsEmpty());
  EXPECT_THAT(Check("upstreams: [{name: a.example, url: \"http://b.example\"}]").warnings, IsEmpty());
}

TEST(UpstreamsChecksTest, RefusesPatternsThatMatchNothing) {
  EXPECT_THAT(ProblemsOf("repositories: [A]"),
              ElementsAre(StartsWith("u.yaml:1: upstreams[0].repositories[0]: \"A\" matches")));
  EXPECT_THAT(
      ProblemsOf("repositories: [\"**\", a.example/b]"),
      ElementsAre("u.yaml:1: upstreams[0].repositories[1]: \"a.example/b\" must not begin with the upstream's name"));
  EXPECT_THAT(ProblemsOf("repositories: [\"*\", library/nginx]", "docker.io"),
              ElementsAre("u.yaml:1: upstreams[0].repositories[0]: \"*\" matches no repository of Docker Hub: write "
                          "\"library/*\""));
  EXPECT_THAT(ProblemsOf("repositories: [\"*\"]"), IsEmpty());
}

TEST(UpstreamsChecksTest, RefusesOtherValuesOutOfRange) {
  for (const char* field : {"tag_ttl", "stale_while_revalidate", "stale_max", "negative_ttl"}) {
    const std::string at = absl::StrCat("u.yaml:1: upstreams[0].", field);
    EXPECT_THAT(ProblemsOf(absl::StrCat(field, ": -1ms")), ElementsAre(at + ": must not be negative"));
    EXPECT_THAT(ProblemsOf(absl::StrCat(field, ": 87601h")), ElementsAre(at + ": must be at most 87600h"));
  }
  EXPECT_THAT(ProblemsOf("connections_max: 1025"),
              ElementsAre("u.yaml:1: upstreams[0].connections_max: must be at most 1024, not 1025"));
  EXPECT_THAT(ProblemsOf("bytes_max: 200GB"),
              ElementsAre(StartsWith("u.yaml:1: upstreams[0].bytes_max: must be a number of bytes, or of KiB")));
  EXPECT_THAT(ProblemsOf("bytes_max: 200"),
              ElementsAre("u.yaml:1: upstreams[0].bytes_max: must be from 1MiB to 1024TiB, not \"200\""));
  EXPECT_THAT(ProblemsOf("bytes_max: 1073741824"), IsEmpty());
  EXPECT_THAT(ProblemsOf("realm_hosts: [\"https://auth.example\"]"),
              ElementsAre(StartsWith("u.yaml:1: upstreams[0].realm_hosts[0]: must be a host")));
}

TEST(UpstreamsChecksTest, RefusesPinsThatNameNothing) {
  const std::string digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  EXPECT_THAT(ProblemsOf("pins: [{}]"), ElementsAre("u.yaml:1: upstreams[0].pins[0].repository: is required",
                                                    "u.yaml:1: upstreams[0].pins[0].tag: is required",
                                                    "u.yaml:1: upstreams[0].pins[0].digest: is required"));
  EXPECT_THAT(ProblemsOf("pins: [{repository: A, tag: \"-\", digest: sha256:1}]"),
              ElementsAre(StartsWith("u.yaml:1: upstreams[0].pins[0].repository: the repository name \"A\""),
                          StartsWith("u.yaml:1: upstreams[0].pins[0].tag: "),
                          StartsWith("u.yaml:1: upstreams[0].pins[0].digest: ")));
  const std::string pin = absl::StrCat("tag: \"12\", digest: \"", digest, "\"");
  EXPECT_THAT(
      ProblemsOf(absl::StrCat("pins: [{repository: debian, ", pin, "}, {repository: library/debian, ", pin, "}]"),
                 "docker.io"),
      ElementsAre("u.yaml:1: upstreams[0].pins[1]: \"library/debian:12\" is upstreams[0].pins[0] already"));
}

TEST(UpstreamsChecksTest, RefusesTagsThatCannotBeKeptWarm) {
  EXPECT_THAT(ProblemsOf("warm: [{}]"), ElementsAre("u.yaml:1: upstreams[0].warm[0].repository: is required",
                                                    "u.yaml:1: upstreams[0].warm[0].tags: is required"));
  EXPECT_THAT(
      ProblemsOf("warm: [{repository: a, tags: [\"-\"], platforms: [linux], interval: 59s}]"),
      ElementsAre(StartsWith("u.yaml:1: upstreams[0].warm[0].tags[0]: "),
                  "u.yaml:1: upstreams[0].warm[0].platforms[0]: the platform \"linux\" must be like linux/amd64 or "
                  "linux/arm/v7",
                  "u.yaml:1: upstreams[0].warm[0].interval: must be at least 1m"));
  EXPECT_THAT(ProblemsOf("warm: [{repository: a, tags: [b], interval: -1s}]"),
              ElementsAre("u.yaml:1: upstreams[0].warm[0].interval: must not be negative"));
}

}  // namespace
}  // namespace entrepot::upstream
