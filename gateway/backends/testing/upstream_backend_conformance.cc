#include "gateway/backends/testing/upstream_backend_conformance.h"

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/backends/testing/read_body.h"
#include "gateway/backends/testing/run_awaitable.h"
#include "services/core/digester.h"
#include "services/core/time/eventually.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/oci_error.h"
#include "services/status/retry_after.h"
#include "services/status/status_macros.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway {
namespace {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(UpstreamBackendConformanceTest);

using ::testing::ElementsAre;

#define RUN(awaitable) RunAwaitable(context_, awaitable)

const CallContext kCall{"conformance"};
constexpr size_t kMemory = 16 << 10;

RepositoryName Repo() { return RepositoryName::Parse("docker.io/library/nginx").value(); }
Reference Latest() { return ParseReference("latest").value(); }
Digest DigestOf(absl::string_view bytes) { return ComputeDigest(DigestAlgorithm::kSha256, bytes); }

std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 2654435761u) >> 13);
  return bytes;
}

// The body of a blob that is not stored.
Body BodyOf(absl::StatusOr<UpstreamBlob> blob) { return std::move(blob->body).value(); }

TEST_P(UpstreamBackendConformanceTest, ReturnsAllOfAManifestsAnswer) {
  const Digest digest = DigestOf("manifest");
  const ResolvedManifest manifest{.digest = digest,
                                  .media_type = "application/x",
                                  .size_bytes = 8,
                                  .stored = false,
                                  .stale_reason = "docker.io: time-out",
                                  .age = absl::Seconds(90)};
  cache().manifests.insert({{Repo().ToString(), "latest"}, manifest});
  ASSERT_OK_AND_ASSIGN(const ResolvedManifest head, RUN(backend().ResolveManifest(kCall, Repo(), Latest(), true)));
  EXPECT_EQ(head.digest, digest);
  EXPECT_EQ(head.media_type, "application/x");
  EXPECT_EQ(head.size_bytes, 8u);
  EXPECT_FALSE(head.stored);
  EXPECT_EQ(head.stale_reason, "docker.io: time-out");
  EXPECT_EQ(head.age, absl::Seconds(90));
  ASSERT_OK_AND_ASSIGN(const ResolvedManifest got, RUN(backend().ResolveManifest(kCall, Repo(), Latest(), false)));
  EXPECT_TRUE(got.stored);
}

TEST_P(UpstreamBackendConformanceTest, RecallsATagWhoseAnswerIsValidForSomeTime) {
  const Digest digest = DigestOf("manifest");
  const Tag fresh = Tag::Parse("latest").value();
  const Tag stale = Tag::Parse("stale").value();
  const Tag invalid = Tag::Parse("invalid").value();
  ResolvedManifest manifest{.digest = digest, .media_type = "application/x", .size_bytes = 8, .stored = true};
  cache().manifests.insert({{Repo().ToString(), "invalid"}, manifest});
  manifest.valid_for = absl::Hours(1);
  cache().manifests.insert({{Repo().ToString(), "latest"}, manifest});
  manifest.stale_reason = "docker.io: time-out";
  manifest.age = absl::Seconds(90);
  cache().manifests.insert({{Repo().ToString(), "stale"}, manifest});
  for (const Tag& tag : {fresh, stale, invalid}) {
    ASSERT_OK(RUN(backend().ResolveManifest(kCall, Repo(), tag, false)));
  }
  const std::optional<RecalledTag> recalled = backend().RecallTag(Repo(), fresh);
  ASSERT_TRUE(recalled.has_value());
  EXPECT_EQ(recalled->digest, digest);
  EXPECT_EQ(recalled->stale_reason, "");
  const std::optional<RecalledTag> recalled_stale = backend().RecallTag(Repo(), stale);
  ASSERT_TRUE(recalled_stale.has_value());
  EXPECT_EQ(recalled_stale->stale_reason, "docker.io: time-out");
  EXPECT_GE(recalled_stale->age, absl::Seconds(90));
  EXPECT_FALSE(backend().RecallTag(Repo(), invalid).has_value());
  EXPECT_FALSE(backend().RecallTag(RepositoryName::Parse("docker.io/library/redis").value(), fresh).has_value());
  backend().CountRecalled(Repo(), *recalled);
  backend().CountRecalled(Repo(), *recalled);
  backend().CountRecalled(Repo(), *recalled_stale);
  // Another process learns of them by the next call.
  ASSERT_OK(RUN(backend().ResolveManifest(kCall, Repo(), fresh, false)));
  EXPECT_EQ(cache().recalled.fresh, 2u);
  EXPECT_EQ(cache().recalled.stale, 1u);
}

TEST_P(UpstreamBackendConformanceTest, ReturnsTheErrorsOfTheCache) {
  const Digest digest = DigestOf("absent");
  EXPECT_THAT(RUN(backend().ResolveManifest(kCall, Repo(), digest, true)).status(),
              IsOciError(OciErrorCode::kManifestUnknown));
  EXPECT_THAT(RUN(backend().FindBlob(kCall, Repo(), digest)).status(), IsOciError(OciErrorCode::kBlobUnknown));
  EXPECT_THAT(RUN(backend().OpenBlob(kCall, Repo(), digest, 0, 0, kMemory)).status(),
              IsOciError(OciErrorCode::kBlobUnknown));
  cache().failure =
      WithRetryAfter(OciError(OciErrorCode::kUnavailable, "docker.io: 429", "docker.io: 429"), absl::Minutes(2));
  const absl::Status failed = RUN(backend().ListTags(kCall, Repo(), 10, "")).status();
  EXPECT_THAT(failed, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_EQ(GetRetryAfter(failed), absl::Minutes(2));
  EXPECT_EQ(GetOciErrorDetail(failed), "docker.io: 429");
  EXPECT_THAT(RUN(backend().ListReferrers(kCall, Repo(), digest)).status(), IsOciError(OciErrorCode::kUnavailable));
}

TEST_P(UpstreamBackendConformanceTest, ReadsABlobFromItsFetch) {
  const std::string bytes = Pattern(200'000);
  const Digest digest = DigestOf(bytes);
  const auto fetch = std::make_shared<ScriptedFetch>();
  cache().fetches[digest.ToString()] = fetch;
  std::thread upstream([&] {
    fetch->Answer(bytes.size());
    for (size_t at = 0; at < bytes.size(); at += 30'000) fetch->Arrive(absl::string_view(bytes).substr(at, 30'000));
    fetch->Finish();
  });
  ASSERT_OK_AND_ASSIGN(UpstreamBlob blob, RUN(backend().OpenBlob(kCall, Repo(), digest, 0, 0, kMemory)));
  EXPECT_EQ(blob.size_bytes, bytes.size());
  // The fetch may have ended first.
  if (!blob.stored) {
    ASSERT_TRUE(blob.body.has_value());
    EXPECT_EQ(LengthOf(*blob.body), bytes.size());
    const ReadResult read = RUN(ReadAll(*blob.body));
    EXPECT_OK(read.status);
    EXPECT_TRUE(read.bytes == bytes);
  }
  upstream.join();
}

TEST_P(UpstreamBackendConformanceTest, TellsWhoseShareACallCountsAgainst) {
  const Digest digest = DigestOf("layer");
  CallContext call{"conformance"};
  call.remote_address = "192.0.2.1";
  EXPECT_FALSE(RUN(backend().FindBlob(call, Repo(), digest)).ok());
  EXPECT_EQ(cache().client, "network 192.0.2.1");
  call.caller.account = "ada";
  EXPECT_FALSE(RUN(backend().OpenBlob(call, Repo(), digest, 0, 0, kMemory)).ok());
  EXPECT_EQ(cache().client, "account ada");
}

TEST_P(UpstreamBackendConformanceTest, ReadsARangeOfAFetch) {
  const std::string bytes = Pattern(100'000);
  const Digest digest = DigestOf(bytes);
  const auto fetch = std::make_shared<ScriptedFetch>();
  cache().fetches[digest.ToString()] = fetch;
  fetch->Answer(bytes.size());
  fetch->Arrive(absl::string_view(bytes).substr(0, 90'000));
  const auto read = [&](uint64_t offset, uint64_t length) {
    Body body = BodyOf(RUN(backend().OpenBlob(kCall, Repo(), digest, offset, length, kMemory)));
    EXPECT_EQ(LengthOf(body), length);
    return RUN(ReadAll(body)).bytes;
  };
  EXPECT_TRUE(read(0, 1) == bytes.substr(0, 1));
  EXPECT_TRUE(read(40'000, 50'000) == bytes.substr(40'000, 50'000));
  Body rest = BodyOf(RUN(backend().OpenBlob(kCall, Repo(), digest, 80'000, 1 << 30, kMemory)));
  EXPECT_EQ(LengthOf(rest), 20'000u);
  fetch->Arrive(absl::string_view(bytes).substr(90'000));
  EXPECT_TRUE(RUN(ReadAll(rest)).bytes == bytes.substr(80'000));
}

TEST_P(UpstreamBackendConformanceTest, ReadsAFetchWhoseBytesAreInAFile) {
  const std::string bytes = Pattern(100'000);
  const Digest digest = DigestOf(bytes);
  const kv::TemporaryDirectory directory;
  const auto fetch = std::make_shared<ScriptedFetch>();
  cache().fetches[digest.ToString()] = fetch;
  fetch->KeepIn(directory.path() + "/spool");
  fetch->Answer(bytes.size());
  fetch->Arrive(absl::string_view(bytes).substr(0, 40'000));
  Body body = BodyOf(RUN(backend().OpenBlob(kCall, Repo(), digest, 100, 90'000, kMemory)));
  EXPECT_EQ(LengthOf(body), 90'000u);
  ASSERT_OK_AND_ASSIGN(std::string read, RUN(ReadNext(body)));
  EXPECT_TRUE(read == bytes.substr(100, read.size()));
  fetch->Arrive(absl::string_view(bytes).substr(40'000));
  const ReadResult rest = RUN(ReadAll(body));
  EXPECT_OK(rest.status);
  EXPECT_TRUE(read + rest.bytes == bytes.substr(100, 90'000));
}

TEST_P(UpstreamBackendConformanceTest, EndsABodyWithTheErrorOfItsFetch) {
  const std::string bytes = Pattern(50'000);
  const Digest digest = DigestOf(bytes);
  const auto fetch = std::make_shared<ScriptedFetch>();
  cache().fetches[digest.ToString()] = fetch;
  fetch->Answer(bytes.size());
  fetch->Arrive(absl::string_view(bytes).substr(0, 40'000));
  Body body = BodyOf(RUN(backend().OpenBlob(kCall, Repo(), digest, 0, 0, kMemory)));
  fetch->Fail(OciError(OciErrorCode::kUnavailable, "docker.io: the digest is wrong", "docker.io: the digest is wrong"));
  const ReadResult read = RUN(ReadAll(body));
  EXPECT_THAT(read.status, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_LT(read.bytes.size(), bytes.size());
}

TEST_P(UpstreamBackendConformanceTest, ReturnsTheErrorOfAFetchThatTheUpstreamRefuses) {
  const Digest digest = DigestOf("refused");
  const auto fetch = std::make_shared<ScriptedFetch>();
  cache().fetches[digest.ToString()] = fetch;
  fetch->Fail(OciError(OciErrorCode::kBlobUnknown, "docker.io has no such blob"));
  EXPECT_THAT(RUN(backend().OpenBlob(kCall, Repo(), digest, 0, 0, kMemory)).status(),
              IsOciError(OciErrorCode::kBlobUnknown));
}

TEST_P(UpstreamBackendConformanceTest, AwaitsTheFetchOfAnEmptyBlob) {
  const Digest digest = DigestOf("");
  const auto fetch = std::make_shared<ScriptedFetch>();
  cache().fetches[digest.ToString()] = fetch;
  fetch->Answer(0);
  // It is stored only some time after the upstream has answered.
  std::thread upstream([&] {
    EXPECT_TRUE(Eventually([&] { return fetch->waiting() > 0; }));
    fetch->Finish();
  });
  const absl::StatusOr<UpstreamBlob> blob = RUN(backend().OpenBlob(kCall, Repo(), digest, 0, 0, kMemory));
  upstream.join();
  ASSERT_OK(blob);
  EXPECT_TRUE(blob->stored);
  const Digest wrong = DigestOf("not empty");
  const auto bad = std::make_shared<ScriptedFetch>();
  cache().fetches[wrong.ToString()] = bad;
  bad->Answer(0);
  bad->Fail(OciError(OciErrorCode::kUnavailable, "docker.io: the digest is wrong", "docker.io: the digest is wrong"));
  EXPECT_THAT(RUN(backend().OpenBlob(kCall, Repo(), wrong, 0, 0, kMemory)).status(),
              IsOciError(OciErrorCode::kUnavailable));
}

TEST_P(UpstreamBackendConformanceTest, TellsThatABlobIsStored) {
  const Digest digest = DigestOf("stored");
  cache().stored_blobs[digest.ToString()] = 6;
  ASSERT_OK_AND_ASSIGN(const UpstreamBlob found, RUN(backend().FindBlob(kCall, Repo(), digest)));
  EXPECT_TRUE(found.stored);
  EXPECT_EQ(found.size_bytes, 6u);
  ASSERT_OK_AND_ASSIGN(const UpstreamBlob opened, RUN(backend().OpenBlob(kCall, Repo(), digest, 0, 0, kMemory)));
  EXPECT_TRUE(opened.stored);
  EXPECT_FALSE(opened.body.has_value());
}

TEST_P(UpstreamBackendConformanceTest, ListsTagsAndReferrers) {
  cache().tags = {"a", "b", "c"};
  ASSERT_OK_AND_ASSIGN(const TagPage page, RUN(backend().ListTags(kCall, Repo(), 1, "a")));
  EXPECT_THAT(page.tags, ElementsAre("b"));
  EXPECT_TRUE(page.more);
  const Digest digest = DigestOf("signature");
  cache().referrers.push_back({.digest = digest,
                               .media_type = "application/x",
                               .size_bytes = 9,
                               .artifact_type = "application/signature",
                               .annotations = {{"key", "value"}}});
  ASSERT_OK_AND_ASSIGN(const std::vector<Referrer> referrers,
                       RUN(backend().ListReferrers(kCall, Repo(), DigestOf("image"))));
  ASSERT_EQ(referrers.size(), 1u);
  EXPECT_EQ(referrers[0].digest, digest);
  EXPECT_EQ(referrers[0].media_type, "application/x");
  EXPECT_EQ(referrers[0].size_bytes, 9u);
  EXPECT_EQ(referrers[0].artifact_type, "application/signature");
  EXPECT_EQ(referrers[0].annotations, (std::map<std::string, std::string>{{"key", "value"}}));
}

TEST_P(UpstreamBackendConformanceTest, PassesOnCommands) {
  upstream::v1::ManageUpstreamsRequest request;
  request.mutable_caller()->set_account("root");
  request.set_remote_address("192.0.2.1");
  request.mutable_start_job()->mutable_pull()->set_repository(Repo().ToString());
  ASSERT_OK_AND_ASSIGN(const upstream::v1::ManageUpstreamsResponse started, RUN(backend().Manage(kCall, request)));
  EXPECT_EQ(started.job().state(), upstream::v1::UpstreamJob::RUNNING);
  EXPECT_EQ(management().last_request().SerializeAsString(), request.SerializeAsString());
  request.mutable_get_job()->set_id("7");
  ASSERT_OK(RUN(backend().Manage(kCall, request)));
  EXPECT_EQ(management().last_request().get_job().id(), "7");
  management().FailWith(absl::NotFoundError("there is no job \"7\""));
  const absl::Status unknown = RUN(backend().Manage(kCall, request)).status();
  EXPECT_TRUE(absl::IsNotFound(unknown));
  EXPECT_EQ(unknown.message(), "there is no job \"7\"");
}

TEST_P(UpstreamBackendConformanceTest, DoesNotRepeatTheStartOfAJob) {
  management().FailWith(absl::UnavailableError("the service stops"));
  upstream::v1::ManageUpstreamsRequest request;
  request.mutable_start_job()->mutable_test()->set_upstream("docker.io");
  EXPECT_TRUE(absl::IsUnavailable(RUN(backend().Manage(kCall, request)).status()));
  EXPECT_EQ(management().requests(), 1);
}

}  // namespace
}  // namespace entrepot::gateway
