#include "services/upstream/client/http_upstream_registry.h"

#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"
#include "services/core/time/eventually.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/outbound/testing/scripted_hop.h"
#include "services/status/status_matchers.h"
#include "services/upstream/registry/upstream_error.h"

namespace entrepot::upstream {
namespace {

using outbound::HeaderOf;
using outbound::ScriptedHop;
using outbound::ScriptedResponse;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr char kManifest[] = R"({"schemaVersion":2,"config":{},"layers":[]})";
constexpr char kManifestType[] = "application/vnd.oci.image.manifest.v1+json";
constexpr char kRepository[] = "library/nginx";
constexpr char kManifestUrl[] = "https://r.example/v2/library/nginx/manifests/latest";

Digest DigestOf(absl::string_view bytes) { return ComputeDigest(DigestAlgorithm::kSha256, bytes); }
Reference TagReference(absl::string_view tag = "latest") { return *ParseReference(tag); }

ScriptedResponse Manifest() {
  return {.fields = {{"content-type", kManifestType},
                     {"docker-content-digest", DigestOf(kManifest).ToString()},
                     {"content-length", absl::StrCat(std::string(kManifest).size())}},
          .body = kManifest};
}
ScriptedResponse Challenge(const std::string& challenge, int status = 401) {
  return {.status = status, .fields = {{"www-authenticate", challenge}}};
}
ScriptedResponse RedirectTo(const std::string& url) { return {.status = 307, .fields = {{"location", url}}}; }

class HttpUpstreamRegistryTest : public testing::Test {
 protected:
  HttpUpstreamRegistryTest() {
    entry_.set_name("r");
    entry_.set_url("https://r.example");
    answer_ = [](const auto&) { return Manifest(); };
  }

  // Made at the first use, after the entry is complete.
  UpstreamRegistry& registry() {
    if (registry_ == nullptr) {
      auto made = MakeUpstreamRegistry(entry_, &clock_, metrics_, [&](const outbound::HopOptions& options) {
        auto hop = std::make_unique<ScriptedHop>([&](const outbound::HopRequest& request) { return answer_(request); });
        options_.push_back(options);
        hops_.push_back(hop.get());
        return hop;
      });
      EXPECT_OK(made);
      registry_ = *std::move(made);
    }
    return *registry_;
  }
  std::vector<outbound::HopRequest> Sent(size_t hop = 0) { return hops_.at(hop)->requests(); }
  std::vector<std::string> SentUrls() {
    std::vector<std::string> urls;
    for (const auto& request : Sent()) urls.push_back(request.url.substr(0, request.url.find('?')));
    return urls;
  }
  void UsePassword() {
    const std::string path = absl::StrCat(directory_.path(), "/password");
    std::ofstream(path) << "secret";
    EXPECT_EQ(::chmod(path.c_str(), 0600), 0);
    entry_.mutable_credentials()->set_username("ci");
    entry_.mutable_credentials()->set_password_file(path);
  }
  // A registry whose token service at `realm` issues t1, t2, …, of which `accepts` decides which one it takes.
  void UseTokens(const std::string& realm, std::function<bool(const std::string& token)> accepts, int refusal = 401) {
    answer_ = [this, realm, accepts, refusal](const outbound::HopRequest& request) {
      if (absl::StartsWith(request.url, realm)) {
        return ScriptedResponse{.body = absl::StrCat(R"({"token":"t)", ++tokens_, R"(","expires_in":300})")};
      }
      const std::string field = HeaderOf(request, "Authorization");
      if (absl::StartsWith(field, "Bearer ") && accepts(field.substr(7))) return Manifest();
      return Challenge(absl::StrCat(R"(Bearer realm=")", realm, R"(",service="r",scope="repository:x:pull,push")"),
                       field.empty() ? 401 : refusal);
    };
  }
  absl::StatusOr<UpstreamManifest> GetManifest(const std::string& repository = kRepository) {
    return registry().GetManifest(repository, TagReference());
  }
  struct ReadBlob {
    absl::Status status;
    UpstreamBlobHead head;
    std::string bytes;
    int heads = 0;
  };
  ReadBlob GetBlob(uint64_t offset_bytes = 0) {
    ReadBlob blob;
    blob.status = registry().GetBlob(kRepository, DigestOf("blob"), offset_bytes,
                                     {.on_head =
                                          [&](const UpstreamBlobHead& head) {
                                            blob.head = head;
                                            ++blob.heads;
                                            return absl::OkStatus();
                                          },
                                      .on_bytes =
                                          [&](absl::string_view bytes) {
                                            absl::StrAppend(&blob.bytes, bytes);
                                            return absl::OkStatus();
                                          }});
    return blob;
  }

  kv::TemporaryDirectory directory_;
  FakeClock clock_;
  std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  config::v1::Upstream entry_;
  ScriptedHop::Script answer_;
  int tokens_ = 0;
  std::vector<outbound::HopOptions> options_;
  std::vector<ScriptedHop*> hops_;
  std::unique_ptr<UpstreamRegistry> registry_;
};

// Manifests.

TEST_F(HttpUpstreamRegistryTest, GetsAManifest) {
  const auto manifest = GetManifest();
  ASSERT_OK(manifest);
  EXPECT_EQ(manifest->digest, DigestOf(kManifest));
  EXPECT_EQ(manifest->media_type, kManifestType);
  EXPECT_EQ(manifest->content, kManifest);
  EXPECT_EQ(manifest->size_bytes, manifest->content.size());
  ASSERT_THAT(Sent(), SizeIs(1));
  EXPECT_EQ(Sent()[0].url, kManifestUrl);
  const std::string accept = HeaderOf(Sent()[0], "Accept");
  for (const char* type : {"application/vnd.oci.image.index.v1+json", kManifestType,
                           "application/vnd.docker.distribution.manifest.v2+json",
                           "application/vnd.docker.distribution.manifest.list.v2+json"}) {
    EXPECT_THAT(accept, HasSubstr(type));
  }
  EXPECT_EQ(HeaderOf(Sent()[0], "Accept-Encoding"), "identity");
}

TEST_F(HttpUpstreamRegistryTest, KeepsThePathOfTheUrl) {
  entry_.set_url("https://r.example/docker/");
  ASSERT_OK(GetManifest());
  EXPECT_EQ(Sent()[0].url, "https://r.example/docker/v2/library/nginx/manifests/latest");
}

TEST_F(HttpUpstreamRegistryTest, VerifiesTheDigestOfAManifest) {
  EXPECT_OK(registry().GetManifest(kRepository, DigestOf(kManifest)));
  EXPECT_EQ(FailureOf(registry().GetManifest(kRepository, DigestOf("other")).status()), UpstreamFailure::kInvalid);
  EXPECT_OK(registry().GetManifest(kRepository, ComputeDigest(DigestAlgorithm::kSha512, kManifest)));
}

TEST_F(HttpUpstreamRegistryTest, RefusesAManifestOfATagThatIsNotTheStatedOne) {
  answer_ = [](const auto&) {
    ScriptedResponse response = Manifest();
    response.body.back() = ' ';
    return response;
  };
  EXPECT_EQ(FailureOf(GetManifest().status()), UpstreamFailure::kInvalid);
}

TEST_F(HttpUpstreamRegistryTest, NeedsNoDigestAndNoTypeInTheHeadOfAManifest) {
  answer_ = [](const auto&) { return ScriptedResponse{.body = kManifest}; };
  const auto manifest = GetManifest();
  ASSERT_OK(manifest);
  EXPECT_EQ(manifest->digest, DigestOf(kManifest));
  EXPECT_EQ(manifest->media_type, kManifestType);
}

TEST_F(HttpUpstreamRegistryTest, BoundsAManifest) {
  const std::string large(4 * 1024 * 1024 + 1, ' ');
  answer_ = [&](const auto&) { return ScriptedResponse{.fields = {{"content-type", kManifestType}}, .body = large}; };
  EXPECT_EQ(FailureOf(GetManifest().status()), UpstreamFailure::kInvalid);
  answer_ = [&](const auto&) { return ScriptedResponse{.fields = {{"content-length", "4194305"}}, .body = kManifest}; };
  EXPECT_EQ(FailureOf(GetManifest().status()), UpstreamFailure::kInvalid);
}

TEST_F(HttpUpstreamRegistryTest, TakesAWebPageForNoManifest) {
  answer_ = [](const outbound::HopRequest& request) {
    if (absl::StartsWith(request.url, "https://r.example/")) return RedirectTo("https://login.example/");
    return ScriptedResponse{.fields = {{"content-type", "text/html; charset=utf-8"}}, .body = "<html>"};
  };
  EXPECT_EQ(FailureOf(GetManifest().status()), UpstreamFailure::kInvalid);
  EXPECT_EQ(FailureOf(registry().HeadManifest(kRepository, TagReference()).status()), UpstreamFailure::kInvalid);
}

TEST_F(HttpUpstreamRegistryTest, RefusesAnEmptyOrEncodedManifest) {
  answer_ = [](const auto&) { return ScriptedResponse{.fields = {{"content-type", kManifestType}}}; };
  EXPECT_EQ(FailureOf(GetManifest().status()), UpstreamFailure::kInvalid);
  answer_ = [](const auto&) { return ScriptedResponse{.fields = {{"content-encoding", "gzip"}}, .body = "abc"}; };
  EXPECT_EQ(FailureOf(GetManifest().status()), UpstreamFailure::kInvalid);
}

TEST_F(HttpUpstreamRegistryTest, MapsTheErrorsOfAManifest) {
  const auto failure = [&](int status) {
    answer_ = [status](const auto&) { return ScriptedResponse{.status = status}; };
    return FailureOf(GetManifest().status());
  };
  EXPECT_EQ(failure(404), UpstreamFailure::kNotFound);
  EXPECT_EQ(failure(401), UpstreamFailure::kDenied);
  EXPECT_EQ(failure(403), UpstreamFailure::kDenied);
  EXPECT_EQ(failure(500), UpstreamFailure::kUnavailable);
  EXPECT_EQ(failure(204), UpstreamFailure::kInvalid);
}

TEST_F(HttpUpstreamRegistryTest, TakesNoTextForARepository) {
  for (const char* name : {"", "a/../b", "a?b", "A", "a#b", "a%2fb"}) {
    EXPECT_EQ(FailureOf(GetManifest(name).status()), UpstreamFailure::kNotFound) << name;
  }
  EXPECT_THAT(Sent(), IsEmpty());
}

TEST_F(HttpUpstreamRegistryTest, HeadsAManifest) {
  const auto manifest = registry().HeadManifest(kRepository, TagReference());
  ASSERT_OK(manifest);
  EXPECT_EQ(Sent()[0].method, "HEAD");
  EXPECT_EQ(manifest->digest, DigestOf(kManifest));
  EXPECT_EQ(manifest->size_bytes, std::string(kManifest).size());
  EXPECT_EQ(manifest->content, "");
}

TEST_F(HttpUpstreamRegistryTest, NeedsADigestTypeAndLengthInTheHeadOfATag) {
  for (const char* missing : {"content-type", "docker-content-digest", "content-length"}) {
    answer_ = [missing](const auto&) {
      ScriptedResponse response = Manifest();
      std::erase_if(response.fields, [&](const auto& field) { return field.first == missing; });
      return response;
    };
    EXPECT_EQ(FailureOf(registry().HeadManifest(kRepository, TagReference()).status()), UpstreamFailure::kInvalid);
  }
}

TEST_F(HttpUpstreamRegistryTest, KnowsTheDigestOfAHeadByDigest) {
  answer_ = [](const auto&) {
    return ScriptedResponse{.fields = {{"content-type", kManifestType}, {"content-length", "7"}}};
  };
  EXPECT_OK(registry().HeadManifest(kRepository, DigestOf(kManifest)));
  answer_ = [](const auto&) { return Manifest(); };
  EXPECT_EQ(FailureOf(registry().HeadManifest(kRepository, DigestOf("other")).status()), UpstreamFailure::kInvalid);
}

// Tokens.

TEST_F(HttpUpstreamRegistryTest, AnswersAChallengeAndRemembersIt) {
  UseTokens("https://auth.r.example/token", [](const auto&) { return true; });
  ASSERT_OK(GetManifest());
  ASSERT_OK(GetManifest());
  ASSERT_OK(GetManifest("other"));
  EXPECT_THAT(SentUrls(), ElementsAre(kManifestUrl, "https://auth.r.example/token", kManifestUrl, kManifestUrl,
                                      "https://auth.r.example/token", "https://r.example/v2/other/manifests/latest"));
  EXPECT_THAT(Sent()[1].url, HasSubstr("scope=repository%3Alibrary%2Fnginx%3Apull"));
  EXPECT_THAT(Sent()[1].url, testing::Not(HasSubstr("push")));
  EXPECT_EQ(HeaderOf(Sent()[3], "Authorization"), "Bearer t1");
  EXPECT_EQ(HeaderOf(Sent()[5], "Authorization"), "Bearer t2");
}

TEST_F(HttpUpstreamRegistryTest, UsesAScopeThatIsNoRepositorysAsChallenged) {
  answer_ = [](const outbound::HopRequest& request) {
    if (absl::StartsWith(request.url, "https://r.example/token/")) return ScriptedResponse{.body = R"({"token":"t"})"};
    if (!HeaderOf(request, "Authorization").empty()) return Manifest();
    return Challenge(R"(Bearer realm="https://r.example/token/",service="r",scope="aws")");
  };
  ASSERT_OK(GetManifest());
  EXPECT_THAT(Sent()[1].url, testing::EndsWith("scope=aws"));
}

TEST_F(HttpUpstreamRegistryTest, RefreshesATokenOnceInTheMiddleOfAnImage) {
  // 400 and 403 are what some registries answer to an expired token.
  for (const int refusal : {400, 401, 403}) {
    registry_ = nullptr;
    hops_.clear();
    tokens_ = 0;
    std::string valid = "t1";
    UseTokens(
        "https://auth.r.example/token", [&](const auto& token) { return token == valid; }, refusal);
    ASSERT_OK(GetManifest());
    valid = "t2";
    EXPECT_OK(GetManifest()) << refusal;
    EXPECT_EQ(tokens_, 2);
    valid = "none";
    EXPECT_FALSE(GetManifest().ok());
    EXPECT_EQ(tokens_, 3) << "a new token that is refused too must not be replaced";
  }
}

TEST_F(HttpUpstreamRegistryTest, KeepsTheFirstRealm) {
  std::string valid = "t1";
  answer_ = [&](const outbound::HopRequest& request) {
    if (absl::StartsWith(request.url, "https://r.example/proxy_auth")) {
      return ScriptedResponse{.body = absl::StrCat(R"({"token":"t)", ++tokens_, R"("})")};
    }
    const std::string field = HeaderOf(request, "Authorization");
    if (field == absl::StrCat("Bearer ", valid)) return Manifest();
    if (field.empty()) return Challenge(R"(Bearer realm="https://r.example/proxy_auth")");
    return Challenge(R"(Bearer realm="https://authn.other.example/token",error="invalid_token")");
  };
  ASSERT_OK(GetManifest());
  valid = "t2";
  ASSERT_OK(GetManifest());
  for (const std::string& url : SentUrls()) EXPECT_THAT(url, testing::StartsWith("https://r.example/"));
}

TEST_F(HttpUpstreamRegistryTest, MakesOneTokenRequestForManyCallers) {
  UseTokens("https://auth.r.example/token", [](const auto&) { return true; });
  ASSERT_OK(GetManifest());
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) threads.emplace_back([&] { EXPECT_OK(GetManifest()); });
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(tokens_, 1);
}

TEST_F(HttpUpstreamRegistryTest, LogsInByBasicAtTheUpstreamOnly) {
  UsePassword();
  answer_ = [](const outbound::HopRequest& request) {
    if (absl::StartsWith(request.url, "https://cdn.example/")) return Manifest();
    if (!HeaderOf(request, "Authorization").empty()) return RedirectTo("https://cdn.example/manifest");
    return Challenge(R"(Basic realm="https://r.example/",service="ecr.amazonaws.com")");
  };
  ASSERT_OK(GetManifest());
  EXPECT_EQ(HeaderOf(Sent()[1], "Authorization"), absl::StrCat("Basic ", absl::Base64Escape("ci:secret")));
  EXPECT_EQ(HeaderOf(Sent()[2], "Authorization"), "");
  ASSERT_OK(GetManifest());
  EXPECT_THAT(Sent(), SizeIs(5));
}

TEST_F(HttpUpstreamRegistryTest, DoesNotRepeatARefusedPassword) {
  UsePassword();
  answer_ = [](const auto&) { return Challenge(R"(Basic realm="r")"); };
  EXPECT_EQ(FailureOf(GetManifest().status()), UpstreamFailure::kDenied);
  EXPECT_THAT(Sent(), SizeIs(2));
  EXPECT_EQ(FailureOf(GetManifest().status()), UpstreamFailure::kDenied);
  EXPECT_THAT(Sent(), SizeIs(2));
  clock_.Advance(absl::Minutes(2));
  EXPECT_EQ(FailureOf(GetManifest().status()), UpstreamFailure::kDenied);
  EXPECT_THAT(Sent(), SizeIs(3));
}

TEST_F(HttpUpstreamRegistryTest, BasicWithoutCredentialsIsDenied) {
  answer_ = [](const outbound::HopRequest& request) {
    if (absl::StrContains(request.url, "public")) return Manifest();
    return Challenge(R"(Basic realm="r")");
  };
  EXPECT_EQ(FailureOf(GetManifest().status()), UpstreamFailure::kDenied);
  EXPECT_THAT(Sent(), SizeIs(1));
  EXPECT_OK(GetManifest("public"));
}

TEST_F(HttpUpstreamRegistryTest, AsksAHelperAgainAfterItsCredentialsExpired) {
  const std::string helper = absl::StrCat(directory_.path(), "/helper");
  const auto write_helper = [&](const std::string& secret) {
    std::ofstream(helper) << "#!/bin/sh\necho '{\"Username\":\"AWS\",\"Secret\":\"" << secret << "\"}'\n";
    EXPECT_EQ(::chmod(helper.c_str(), 0700), 0);
  };
  write_helper("first");
  entry_.mutable_credentials()->set_helper(helper);
  std::string valid = "first";
  answer_ = [&](const outbound::HopRequest& request) {
    const std::string field = HeaderOf(request, "Authorization");
    if (field.empty()) return Challenge(R"(Basic realm="r")");
    if (field == absl::StrCat("Basic ", absl::Base64Escape(absl::StrCat("AWS:", valid)))) return Manifest();
    return ScriptedResponse{.status = 403};
  };
  ASSERT_OK(GetManifest());
  valid = "second";
  write_helper("second");
  EXPECT_EQ(FailureOf(GetManifest().status()), UpstreamFailure::kDenied) << "fresh credentials are not asked for again";
  clock_.Advance(absl::Minutes(5));
  EXPECT_OK(GetManifest());
}

TEST_F(HttpUpstreamRegistryTest, GetsAnonymousTokensForTheHostThatItIsRedirectedTo) {
  UsePassword();
  const std::string target = "https://other.example/v2/x/manifests/1";
  answer_ = [&](const outbound::HopRequest& request) {
    if (absl::StartsWith(request.url, "https://r.example/")) return RedirectTo(target);
    if (request.url != target) return ScriptedResponse{.body = R"({"token":"t"})"};
    if (HeaderOf(request, "Authorization") == "Bearer t") return Manifest();
    return Challenge(R"(Bearer realm="https://other.example/token",scope="repository:x:pull")");
  };
  ASSERT_OK(GetManifest());
  ASSERT_OK(GetManifest());
  EXPECT_THAT(SentUrls(), ElementsAre(kManifestUrl, target, kManifestUrl, "https://other.example/token", target,
                                      kManifestUrl, target));
  EXPECT_THAT(Sent()[3].url, testing::EndsWith("scope=repository%3Ax%3Apull"));
  for (const auto& request : Sent()) {
    EXPECT_THAT(HeaderOf(request, "Authorization"), testing::Not(HasSubstr("Basic")));
    if (absl::StartsWith(request.url, "https://r.example/")) {
      EXPECT_EQ(HeaderOf(request, "Authorization"), "");
    }
  }
}

TEST_F(HttpUpstreamRegistryTest, AnswersNoBasicChallengeOfAnotherHost) {
  UsePassword();
  answer_ = [](const outbound::HopRequest& request) {
    if (absl::StartsWith(request.url, "https://r.example/")) return RedirectTo("https://evil.example/");
    return Challenge(R"(Basic realm="r")");
  };
  EXPECT_EQ(FailureOf(GetManifest().status()), UpstreamFailure::kDenied);
  EXPECT_THAT(Sent(), SizeIs(2));
}

// Blobs.

TEST_F(HttpUpstreamRegistryTest, StreamsABlob) {
  answer_ = [](const auto&) { return ScriptedResponse{.fields = {{"content-length", "4"}}, .body = "blob"}; };
  const ReadBlob blob = GetBlob();
  EXPECT_OK(blob.status);
  EXPECT_EQ(blob.bytes, "blob");
  EXPECT_EQ(blob.head.size_bytes, 4u);
  EXPECT_EQ(blob.head.offset_bytes, 0u);
  EXPECT_EQ(blob.heads, 1);
  EXPECT_EQ(HeaderOf(Sent()[0], "Accept-Encoding"), "identity");
  EXPECT_EQ(HeaderOf(Sent()[0], "Range"), "");
  EXPECT_EQ(Sent()[0].timeout, absl::InfiniteDuration());
}

TEST_F(HttpUpstreamRegistryTest, ResumesABlob) {
  answer_ = [](const outbound::HopRequest& request) {
    EXPECT_EQ(HeaderOf(request, "Range"), "bytes=2-");
    return ScriptedResponse{.status = 206, .fields = {{"content-range", "bytes 2-3/4"}}, .body = "ob"};
  };
  const ReadBlob blob = GetBlob(2);
  EXPECT_OK(blob.status);
  EXPECT_EQ(blob.bytes, "ob");
  EXPECT_EQ(blob.head.size_bytes, 4u);
  EXPECT_EQ(blob.head.offset_bytes, 2u);
}

TEST_F(HttpUpstreamRegistryTest, BeginsAnewIfTheUpstreamIgnoresTheRange) {
  answer_ = [](const auto&) { return ScriptedResponse{.body = "blob"}; };
  const ReadBlob blob = GetBlob(2);
  EXPECT_OK(blob.status);
  EXPECT_EQ(blob.head.offset_bytes, 0u);
  EXPECT_EQ(blob.head.size_bytes, std::nullopt);
  EXPECT_EQ(blob.bytes, "blob");
}

TEST_F(HttpUpstreamRegistryTest, RefusesAnotherRangeThanItAskedFor) {
  for (const char* range : {"bytes 0-3/4", "bytes 3-3/4", "bytes 2-2/4", "bytes */4", ""}) {
    answer_ = [range](const auto&) {
      return ScriptedResponse{.status = 206, .fields = {{"content-range", range}}, .body = "ob"};
    };
    const ReadBlob blob = GetBlob(2);
    EXPECT_EQ(FailureOf(blob.status), UpstreamFailure::kInvalid) << range;
    EXPECT_EQ(blob.heads, 0) << range;
    EXPECT_EQ(blob.bytes, "") << range;
  }
  answer_ = [](const auto&) {
    return ScriptedResponse{.status = 206, .fields = {{"content-range", "bytes 0-3/4"}}, .body = "blob"};
  };
  EXPECT_EQ(FailureOf(GetBlob().status), UpstreamFailure::kInvalid);
}

TEST_F(HttpUpstreamRegistryTest, KnowsThatTheBlobEndsAtTheOffset) {
  answer_ = [](const auto&) { return ScriptedResponse{.status = 416, .fields = {{"content-range", "bytes */4"}}}; };
  const ReadBlob blob = GetBlob(4);
  EXPECT_OK(blob.status);
  EXPECT_EQ(blob.head.size_bytes, 4u);
  EXPECT_EQ(blob.head.offset_bytes, 4u);
  EXPECT_EQ(FailureOf(GetBlob(5).status), UpstreamFailure::kInvalid);
}

TEST_F(HttpUpstreamRegistryTest, ReportsABlobThatBreaksOff) {
  answer_ = [](const auto&) { return ScriptedResponse{.body = "bl", .failure = absl::UnavailableError("broke off")}; };
  const ReadBlob blob = GetBlob();
  EXPECT_EQ(FailureOf(blob.status), UpstreamFailure::kUnavailable);
  EXPECT_EQ(blob.bytes, "bl");
}

TEST_F(HttpUpstreamRegistryTest, ReturnsTheErrorOfTheSink) {
  const absl::Status full = absl::ResourceExhaustedError("full");
  EXPECT_EQ(registry().GetBlob(kRepository, DigestOf("blob"), 0,
                               {.on_head = {}, .on_bytes = [&](absl::string_view) { return full; }}),
            full);
}

TEST_F(HttpUpstreamRegistryTest, HeadsABlob) {
  answer_ = [](const auto&) { return ScriptedResponse{.fields = {{"content-length", "4"}}}; };
  EXPECT_EQ(registry().HeadBlob(kRepository, DigestOf("blob"))->size_bytes, 4u);
  answer_ = [](const auto&) { return ScriptedResponse{}; };
  EXPECT_EQ(registry().HeadBlob(kRepository, DigestOf("blob"))->size_bytes, std::nullopt);
  answer_ = [](const auto&) { return ScriptedResponse{.status = 404}; };
  EXPECT_EQ(FailureOf(registry().HeadBlob(kRepository, DigestOf("blob")).status()), UpstreamFailure::kNotFound);
}

TEST_F(HttpUpstreamRegistryTest, GetsOneByteWhereTheStorageTakesNoHead) {
  answer_ = [](const outbound::HopRequest& request) {
    if (absl::StartsWith(request.url, "https://r.example/")) return RedirectTo("https://cdn.example/b");
    if (request.method == "HEAD") return ScriptedResponse{.status = 403};
    EXPECT_EQ(HeaderOf(request, "Range"), "bytes=0-0");
    return ScriptedResponse{.status = 206, .fields = {{"content-range", "bytes 0-0/4"}}, .body = "b"};
  };
  EXPECT_EQ(registry().HeadBlob(kRepository, DigestOf("blob"))->size_bytes, 4u);
}

// Lists.

TEST_F(HttpUpstreamRegistryTest, FollowsThePagesOfTags) {
  answer_ = [](const outbound::HopRequest& request) {
    if (absl::StrContains(request.url, "last=b")) return ScriptedResponse{.body = R"({"tags":["c"]})"};
    return ScriptedResponse{.fields = {{"link", "</v2/library/nginx/tags/list?last=b>; rel=\"next\""}},
                            .body = R"({"tags":["a","b"]})"};
  };
  EXPECT_THAT(registry().ListTags(kRepository, 10), IsOkAndHolds(ElementsAre("a", "b", "c")));
  EXPECT_THAT(registry().ListTags(kRepository, 1), IsOkAndHolds(ElementsAre("a")));
}

TEST_F(HttpUpstreamRegistryTest, EndsAListThatRepeatsItsPage) {
  answer_ = [](const auto&) {
    return ScriptedResponse{.fields = {{"link", "<?last=a>; rel=\"next\""}}, .body = R"({"tags":["a"]})"};
  };
  EXPECT_THAT(registry().ListTags(kRepository, 10), IsOkAndHolds(ElementsAre("a")));
  EXPECT_THAT(Sent(), SizeIs(2));
}

TEST_F(HttpUpstreamRegistryTest, RefusesAListThatLeadsToAnotherHost) {
  answer_ = [](const auto&) {
    return ScriptedResponse{.fields = {{"link", "<https://evil.example/>; rel=\"next\""}}, .body = R"({"tags":["a"]})"};
  };
  EXPECT_EQ(FailureOf(registry().ListTags(kRepository, 10).status()), UpstreamFailure::kInvalid);
}

std::string IndexOf(absl::string_view content) {
  return absl::StrCat(R"({"manifests":[{"digest":")", DigestOf(content).ToString(),
                      R"(","mediaType":"a/b","size":1}]})");
}

TEST_F(HttpUpstreamRegistryTest, ListsReferrersByTheApi) {
  answer_ = [](const outbound::HopRequest& request) {
    EXPECT_THAT(request.url, HasSubstr("/referrers/sha256:"));
    return ScriptedResponse{.fields = {{"content-type", "application/vnd.oci.image.index.v1+json"}},
                            .body = IndexOf("s")};
  };
  const auto referrers = registry().ListReferrers(kRepository, DigestOf("a"));
  ASSERT_THAT(referrers, IsOkAndHolds(SizeIs(1)));
  EXPECT_EQ(referrers->front().digest, DigestOf("s"));
}

TEST_F(HttpUpstreamRegistryTest, ListsReferrersByTheTagWhereThereIsNoApi) {
  const std::vector<ScriptedResponse> without = {
      {.status = 404},
      {.status = 400},
      {.status = 405},
      {.status = 303, .fields = {{"location", "https://web.example/page"}}},
      {.fields = {{"content-type", "text/html"}}, .body = "<html>"},
      {.fields = {{"content-type", "application/json"}}, .body = "{}"},
  };
  for (const ScriptedResponse& response : without) {
    answer_ = [&](const outbound::HopRequest& request) {
      if (absl::StrContains(request.url, "/referrers/")) return response;
      if (absl::StartsWith(request.url, "https://web.example/")) {
        return ScriptedResponse{.status = 429, .fields = {{"content-type", "text/html"}}};
      }
      EXPECT_THAT(request.url, testing::EndsWith(absl::StrCat("/manifests/sha256-", DigestOf("a").hex())));
      return ScriptedResponse{.body = IndexOf("s")};
    };
    EXPECT_THAT(registry().ListReferrers(kRepository, DigestOf("a")), IsOkAndHolds(SizeIs(1))) << response.status;
  }
}

TEST_F(HttpUpstreamRegistryTest, HasNoReferrersIfThereIsNeitherApiNorTag) {
  answer_ = [](const auto&) { return ScriptedResponse{.status = 404}; };
  EXPECT_THAT(registry().ListReferrers(kRepository, DigestOf("a")), IsOkAndHolds(IsEmpty()));
  answer_ = [](const auto&) { return ScriptedResponse{.status = 503}; };
  EXPECT_EQ(FailureOf(registry().ListReferrers(kRepository, DigestOf("a")).status()), UpstreamFailure::kUnavailable);
}

// Limits.

TEST_F(HttpUpstreamRegistryTest, HonoursARetryAfter) {
  answer_ = [](const auto&) { return ScriptedResponse{.status = 429, .fields = {{"retry-after", "40"}}}; };
  const absl::Status first = GetManifest().status();
  EXPECT_EQ(FailureOf(first), UpstreamFailure::kRateLimited);
  EXPECT_EQ(UpstreamRetryAfter(first), absl::Seconds(40));
  clock_.Advance(absl::Seconds(10));
  const absl::Status second = GetManifest().status();
  EXPECT_EQ(FailureOf(second), UpstreamFailure::kRateLimited);
  EXPECT_EQ(UpstreamRetryAfter(second), absl::Seconds(30));
  EXPECT_THAT(Sent(), SizeIs(1));
  answer_ = [](const auto&) { return Manifest(); };
  EXPECT_OK(registry().HeadManifest(kRepository, TagReference()));
  clock_.Advance(absl::Seconds(30));
  EXPECT_OK(GetManifest());
}

TEST_F(HttpUpstreamRegistryTest, ShowsTheRateLimit) {
  answer_ = [](const auto&) {
    ScriptedResponse response = Manifest();
    response.fields.emplace_back("ratelimit-limit", "100;w=21600");
    response.fields.emplace_back("ratelimit-remaining", "76;w=21600");
    return response;
  };
  ASSERT_OK(GetManifest());
  EXPECT_EQ(registry().rate_limit().limit, 100);
  EXPECT_EQ(registry().rate_limit().remaining, 76);
}

TEST_F(HttpUpstreamRegistryTest, SendsNoMoreRequestsAtATimeThanItMay) {
  entry_.set_connections_max(1);
  constexpr int kRequests = 8;
  std::atomic<int> begun = 0;
  std::atomic<int> running = 0;
  std::atomic<int> overlaps = 0;
  answer_ = [&](const auto&) {
    if (++running > 1) ++overlaps;
    // The first one waits here until the others want to be sent.
    EXPECT_TRUE(Eventually([&] { return begun == kRequests; }));
    --running;
    return Manifest();
  };
  registry();
  const auto get = [&] {
    ++begun;
    EXPECT_OK(GetManifest());
  };
  std::vector<std::thread> threads;
  threads.emplace_back(get);
  EXPECT_TRUE(Eventually([&] { return running == 1; }));
  while (threads.size() < kRequests) threads.emplace_back(get);
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(overlaps, 0);
  EXPECT_THAT(Sent(), SizeIs(kRequests));
}

TEST_F(HttpUpstreamRegistryTest, IsCancelledByStop) {
  registry().Stop();
  EXPECT_THAT(GetManifest(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(GetBlob().status, StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(registry().ListTags(kRepository, 1), StatusIs(absl::StatusCode::kCancelled));
}

// What hops may do.

TEST_F(HttpUpstreamRegistryTest, ChecksAddressesUnlessTheEntryAllowsAll) {
  registry();
  ASSERT_TRUE(options_.at(0).check_address);
  EXPECT_OK(options_[0].check_address("8.8.8.8"));
  for (const char* address : {"127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:169.254.169.254", "fd00::1"}) {
    EXPECT_EQ(FailureOf(options_[0].check_address(address)), UpstreamFailure::kUnavailable) << address;
  }
  entry_.set_allow_private_addresses(true);
  registry_ = nullptr;
  registry();
  EXPECT_FALSE(options_.at(1).check_address);
}

TEST_F(HttpUpstreamRegistryTest, ShowsTheClientCertificateToTheUpstreamOnly) {
  entry_.set_client_certificate_file("/c.pem");
  entry_.set_client_key_file("/k.pem");
  answer_ = [](const outbound::HopRequest& request) {
    return absl::StartsWith(request.url, "https://r.example/") ? RedirectTo("https://cdn.example/b") : Manifest();
  };
  ASSERT_OK(GetManifest());
  ASSERT_THAT(options_, SizeIs(2));
  EXPECT_EQ(options_[0].client_certificate_file, "/c.pem");
  EXPECT_EQ(options_[1].client_certificate_file, "");
  EXPECT_EQ(options_[1].client_key_file, "");
  EXPECT_EQ(Sent(0).at(0).url, kManifestUrl);
  EXPECT_EQ(Sent(1).at(0).url, "https://cdn.example/b");
}

TEST_F(HttpUpstreamRegistryTest, WarnsOfAClientKeyThatOthersMayRead) {
  const kv::TemporaryDirectory directory;
  const std::string key = directory.path() + "/k.pem";
  std::ofstream(key) << "a key";
  entry_.set_client_certificate_file("/c.pem");
  entry_.set_client_key_file(key);
  const auto log = [&](mode_t mode) {
    EXPECT_EQ(::chmod(key.c_str(), mode), 0);
    registry_ = nullptr;
    testing::internal::CaptureStderr();
    registry();
    return testing::internal::GetCapturedStderr();
  };
  EXPECT_THAT(log(0600), testing::Not(HasSubstr("may read a file with secrets")));
  EXPECT_THAT(log(0644), HasSubstr("other users of the machine may read a file with secrets"));
}

TEST_F(HttpUpstreamRegistryTest, RefusesAUrlThatIsNoRegistrys) {
  for (const char* url : {"", "ftp://r.example", "https://user@r.example", "https://r.example/?a"}) {
    entry_.set_url(url);
    EXPECT_THAT(MakeUpstreamRegistry(entry_, &clock_, metrics_), StatusIs(absl::StatusCode::kInvalidArgument)) << url;
  }
}

}  // namespace
}  // namespace entrepot::upstream
