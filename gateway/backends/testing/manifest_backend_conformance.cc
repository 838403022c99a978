#include "gateway/backends/testing/manifest_backend_conformance.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gateway/backends/testing/run_awaitable.h"
#include "services/core/digester.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway {
namespace {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(ManifestBackendConformanceTest);

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr char kImage[] = "application/vnd.oci.image.manifest.v1+json";
const CallContext kCall{"conformance"};

RepositoryName Repo(absl::string_view name = "team/app") { return RepositoryName::Parse(name).value(); }
Reference Ref(absl::string_view text) { return ParseReference(text).value(); }
Digest Sha256(absl::string_view bytes) { return ComputeDigest(DigestAlgorithm::kSha256, bytes); }

Blob MakeBlob(absl::string_view bytes, char key_digit = '1') {
  return {Sha256(bytes), bytes.size(), StorageKey::Parse("k" + std::string(32, key_digit)).value()};
}

// An image of one config and no layers.
std::string Image(const Blob& config, absl::string_view extra = "") {
  return absl::StrCat(R"({"schemaVersion":2,"mediaType":")", kImage,
                      R"(","config":{"mediaType":"application/vnd.example.config","digest":")",
                      config.digest.ToString(), R"(","size":)", config.size_bytes, R"(},"layers":[])", extra, "}");
}

ManifestPut Put(absl::string_view reference, std::string content) {
  return {Ref(reference), MediaType::Parse(kImage).value(), std::move(content), {}, {}};
}

#define RUN(awaitable) RunAwaitable(context_, awaitable)

TEST_P(ManifestBackendConformanceTest, CommitsFindsMountsAndUnlinksBlobs) {
  const Blob blob = MakeBlob("abc");
  EXPECT_THAT(RUN(backend().FindBlob(kCall, Repo(), blob.digest)), IsOciError(OciErrorCode::kBlobUnknown));
  EXPECT_THAT(RUN(backend().CommitBlob(kCall, Repo(), blob)), IsOkAndHolds(false));
  EXPECT_THAT(RUN(backend().CommitBlob(kCall, Repo(), MakeBlob("abc", '2'))), IsOkAndHolds(true));
  ASSERT_OK_AND_ASSIGN(const Blob found, RUN(backend().FindBlob(kCall, Repo(), blob.digest)));
  EXPECT_EQ(found.digest, blob.digest);
  EXPECT_EQ(found.size_bytes, 3u);
  EXPECT_EQ(found.storage_key, blob.storage_key);

  EXPECT_THAT(RUN(backend().MountBlob(kCall, Repo("b"), blob.digest, Repo("c"))),
              IsOciError(OciErrorCode::kBlobUnknown));
  EXPECT_OK(RUN(backend().MountBlob(kCall, Repo("b"), blob.digest, Repo())));
  EXPECT_OK(RUN(backend().MountBlob(kCall, Repo("d"), blob.digest, std::nullopt)));
  EXPECT_OK(RUN(backend().UnlinkBlob(kCall, Repo(), blob.digest)));
  EXPECT_THAT(RUN(backend().UnlinkBlob(kCall, Repo(), blob.digest)), IsOciError(OciErrorCode::kBlobUnknown));
  EXPECT_OK(RUN(backend().FindBlob(kCall, Repo("b"), blob.digest)));
}

TEST_P(ManifestBackendConformanceTest, ChangesATagOnlyIfItsPreconditionsHold) {
  const Blob config = MakeBlob("{}");
  ASSERT_OK(RUN(backend().CommitBlob(kCall, Repo(), config)));
  const auto put = [&](absl::string_view extra, const Preconditions& preconditions) {
    ManifestPut manifest = Put("latest", Image(config, extra));
    manifest.preconditions = preconditions;
    return RUN(backend().PutManifest(kCall, Repo(), manifest));
  };
  const auto named = [&] { return RUN(backend().GetManifest(kCall, Repo(), Ref("latest"), true))->digest; };
  const auto fails = IsOciError(OciErrorCode::kPreconditionFailed);
  const Preconditions absent{.if_none_match = EntityTags{.any = true}};
  const Digest first = Sha256(Image(config));
  const Digest second = Sha256(Image(config, " "));
  const Preconditions is_first{.if_match = EntityTags{.digests = {first}}};

  EXPECT_THAT(put("", is_first).status(), fails);
  EXPECT_THAT(RUN(backend().GetManifest(kCall, Repo(), Ref("latest"), true)).status(),
              IsOciError(OciErrorCode::kManifestUnknown));
  EXPECT_OK(put("", absent));
  EXPECT_THAT(put(" ", absent).status(), fails);
  EXPECT_EQ(named(), first);
  EXPECT_OK(put(" ", is_first));
  EXPECT_EQ(named(), second);
  EXPECT_THAT(put("  ", is_first).status(), fails);

  EXPECT_THAT(RUN(backend().DeleteManifest(kCall, Repo(), Ref("latest"), is_first)), fails);
  EXPECT_EQ(named(), second);
  EXPECT_THAT(RUN(backend().DeleteManifest(kCall, Repo(), second, is_first)), fails);
  EXPECT_OK(RUN(backend().DeleteManifest(kCall, Repo(), Ref("latest"), {.if_match = EntityTags{.digests = {second}}})));
  EXPECT_OK(RUN(backend().DeleteManifest(kCall, Repo(), first, is_first)));
  EXPECT_THAT(RUN(backend().DeleteManifest(kCall, Repo(), first, is_first)),
              IsOciError(OciErrorCode::kManifestUnknown));
}

TEST_P(ManifestBackendConformanceTest, StoresManifestsByteForByte) {
  const Blob config = MakeBlob("{}");
  ASSERT_OK(RUN(backend().CommitBlob(kCall, Repo(), config)));
  // The second one is read in another way over gRPC.
  for (const std::string& padding : {std::string(" \n"), std::string(200'000, ' ')}) {
    const std::string content = Image(config, padding);
    ManifestPut put = Put("latest", content);
    put.tags = {Tag::Parse("also").value()};
    ASSERT_OK_AND_ASSIGN(const ManifestPutResult result, RUN(backend().PutManifest(kCall, Repo(), put)));
    EXPECT_EQ(result.digest, Sha256(content));
    EXPECT_EQ(result.subject, std::nullopt);
    for (const std::string& reference : {std::string("latest"), std::string("also"), result.digest.ToString()}) {
      ASSERT_OK_AND_ASSIGN(const StoredManifest whole,
                           RUN(backend().GetManifest(kCall, Repo(), Ref(reference), false)));
      EXPECT_EQ(whole.content == content, true) << content.size();
      EXPECT_EQ(whole.media_type, kImage);
      EXPECT_EQ(whole.size_bytes, content.size());
      EXPECT_EQ(whole.digest, result.digest);
      ASSERT_OK_AND_ASSIGN(const StoredManifest head, RUN(backend().GetManifest(kCall, Repo(), Ref(reference), true)));
      EXPECT_EQ(head.content, "");
      EXPECT_EQ(head.size_bytes, content.size());
    }
  }
}

TEST_P(ManifestBackendConformanceTest, ReturnsErrorsWithCodesAndDetails) {
  const Blob missing = MakeBlob("missing");
  const absl::Status unknown = RUN(backend().PutManifest(kCall, Repo(), Put("latest", Image(missing)))).status();
  EXPECT_THAT(unknown, IsOciError(OciErrorCode::kManifestBlobUnknown));
  EXPECT_NE(GetOciErrorDetail(unknown).find(missing.digest.ToString()), std::string::npos);
  EXPECT_THAT(RUN(backend().PutManifest(kCall, Repo(), Put("latest", "not json"))),
              IsOciError(OciErrorCode::kManifestInvalid));
  EXPECT_THAT(RUN(backend().PutManifest(kCall, Repo(), Put(Sha256("other").ToString(), Image(missing)))),
              IsOciError(OciErrorCode::kDigestInvalid));
  EXPECT_THAT(RUN(backend().GetManifest(kCall, Repo(), Ref("latest"), false)),
              IsOciError(OciErrorCode::kManifestUnknown));
  EXPECT_THAT(RUN(backend().DeleteManifest(kCall, Repo(), Ref("latest"), {})),
              IsOciError(OciErrorCode::kManifestUnknown));
  EXPECT_THAT(RUN(backend().ListTags(kCall, Repo("never"), 10, "")), IsOciError(OciErrorCode::kNameUnknown));
}

TEST_P(ManifestBackendConformanceTest, DeletesByTagAndByDigest) {
  const Blob config = MakeBlob("{}");
  ASSERT_OK(RUN(backend().CommitBlob(kCall, Repo(), config)));
  ASSERT_OK_AND_ASSIGN(const ManifestPutResult put, RUN(backend().PutManifest(kCall, Repo(), Put("a", Image(config)))));
  ASSERT_OK(RUN(backend().PutManifest(kCall, Repo(), Put("b", Image(config)))));
  EXPECT_OK(RUN(backend().DeleteManifest(kCall, Repo(), Ref("a"), {})));
  EXPECT_OK(RUN(backend().GetManifest(kCall, Repo(), put.digest, true)));
  EXPECT_OK(RUN(backend().DeleteManifest(kCall, Repo(), put.digest, {})));
  EXPECT_THAT(RUN(backend().GetManifest(kCall, Repo(), Ref("b"), true)), IsOciError(OciErrorCode::kManifestUnknown));
}

TEST_P(ManifestBackendConformanceTest, ListsInPages) {
  for (const char* name : {"a", "b", "a/b"}) {
    const Blob config = MakeBlob("{}");
    ASSERT_OK(RUN(backend().CommitBlob(kCall, Repo(name), config)));
    for (const char* tag : {"z", "x", "y"}) {
      ASSERT_OK(RUN(backend().PutManifest(kCall, Repo(name), Put(tag, Image(config)))));
    }
  }
  ASSERT_OK_AND_ASSIGN(TagPage tags, RUN(backend().ListTags(kCall, Repo("a"), 2, "")));
  EXPECT_THAT(tags.tags, ElementsAre("x", "y"));
  EXPECT_TRUE(tags.more);
  ASSERT_OK_AND_ASSIGN(tags, RUN(backend().ListTags(kCall, Repo("a"), 2, "y")));
  EXPECT_THAT(tags.tags, ElementsAre("z"));
  EXPECT_FALSE(tags.more);
  ASSERT_OK_AND_ASSIGN(tags, RUN(backend().ListTags(kCall, Repo("a"), 10'000, "'; DROP\r\n\x01")));
  EXPECT_THAT(tags.tags, ElementsAre("x", "y", "z"));

  ASSERT_OK_AND_ASSIGN(RepositoryPage repositories, RUN(backend().ListRepositories(kCall, 2, "", {"**"})));
  EXPECT_THAT(repositories.repositories, ElementsAre("a", "a/b"));
  EXPECT_TRUE(repositories.more);
  ASSERT_OK_AND_ASSIGN(repositories, RUN(backend().ListRepositories(kCall, 2, "a/b", {"**"})));
  EXPECT_THAT(repositories.repositories, ElementsAre("b"));
  EXPECT_FALSE(repositories.more);
}

TEST_P(ManifestBackendConformanceTest, ListsRepositoriesThatMatchPatterns) {
  for (const char* name : {"a", "a/b", "a/c", "b"}) {
    ASSERT_OK(RUN(backend().CommitBlob(kCall, Repo(name), MakeBlob("{}"))));
  }
  const std::vector<std::string> patterns = {"b", "a/*"};
  ASSERT_OK_AND_ASSIGN(RepositoryPage page, RUN(backend().ListRepositories(kCall, 2, "", patterns)));
  EXPECT_THAT(page.repositories, ElementsAre("a/b", "a/c"));
  EXPECT_TRUE(page.more);
  ASSERT_OK_AND_ASSIGN(page, RUN(backend().ListRepositories(kCall, 2, "a/c", patterns)));
  EXPECT_THAT(page.repositories, ElementsAre("b"));
  EXPECT_FALSE(page.more);
  ASSERT_OK_AND_ASSIGN(page, RUN(backend().ListRepositories(kCall, 2, "", {})));
  EXPECT_THAT(page.repositories, IsEmpty());
}

TEST_P(ManifestBackendConformanceTest, DeletesRepositoriesAndRefusesOlderTokens) {
  const Blob config = MakeBlob("{}");
  const std::string image = Image(config);
  ASSERT_OK(RUN(backend().CommitBlob(kCall, Repo(), config)));
  ASSERT_OK(RUN(backend().PutManifest(kCall, Repo(), Put("v1", image))));
  // One token from the past and one from the future. The clock stands still between them.
  const CallContext old{"conformance", {.account = "ada", .token_issued_at = absl::FromUnixSeconds(1'000'000'000)}};
  const CallContext fresh{"conformance", {.account = "ada", .token_issued_at = absl::FromUnixSeconds(4'000'000'000)}};
  ASSERT_OK(RUN(backend().GetManifest(old, Repo(), Ref("v1"), false)));

  ASSERT_OK_AND_ASSIGN(const RepositoryDeletion deletion, RUN(backend().DeleteRepository(old, Repo())));
  EXPECT_EQ(deletion.manifests, 1u);
  EXPECT_EQ(deletion.tags, 1u);
  EXPECT_EQ(deletion.blobs, 1u);
  EXPECT_THAT(RUN(backend().DeleteRepository(fresh, Repo())), IsOciError(OciErrorCode::kNameUnknown));

  ASSERT_OK(RUN(backend().CommitBlob(fresh, Repo(), config)));
  ASSERT_OK(RUN(backend().PutManifest(fresh, Repo(), Put("v1", image))));
  const Reference tag = Ref("v1");
  const std::vector<absl::Status> refused = {
      RUN(backend().CommitBlob(old, Repo(), config)).status(),
      RUN(backend().FindBlob(old, Repo(), config.digest)).status(),
      RUN(backend().MountBlob(old, Repo(), config.digest, std::nullopt)).status(),
      RUN(backend().UnlinkBlob(old, Repo(), config.digest)),
      RUN(backend().PutManifest(old, Repo(), Put("v1", image))).status(),
      RUN(backend().GetManifest(old, Repo(), tag, false)).status(),
      RUN(backend().DeleteManifest(old, Repo(), tag, {})),
      RUN(backend().ListTags(old, Repo(), 10, "")).status(),
      RUN(backend().ListReferrers(old, Repo(), config.digest, "", 10, "")).status(),
      RUN(backend().DeleteRepository(old, Repo())).status(),
  };
  for (size_t i = 0; i < refused.size(); ++i) {
    EXPECT_THAT(refused[i], IsOciError(OciErrorCode::kUnauthorized)) << i;
    EXPECT_THAT(refused[i], StatusIs(absl::StatusCode::kUnauthenticated)) << i;
  }
  EXPECT_OK(RUN(backend().GetManifest(fresh, Repo(), tag, false)));
  EXPECT_OK(RUN(backend().GetManifest(kCall, Repo(), tag, false)));
}

TEST_P(ManifestBackendConformanceTest, ListsReferrers) {
  const Blob config = MakeBlob("{}");
  ASSERT_OK(RUN(backend().CommitBlob(kCall, Repo(), config)));
  const Digest subject = Sha256("a missing subject");
  EXPECT_THAT(RUN(backend().ListReferrers(kCall, Repo(), subject, "", 10, ""))->referrers, IsEmpty());
  const std::string content =
      Image(config, absl::StrCat(R"(,"artifactType":"application/vnd.example+x","annotations":{"k":"v","l":"w"},)",
                                 R"("subject":{"mediaType":")", kImage, R"(","digest":")", subject.ToString(),
                                 R"(","size":7})"));
  ASSERT_OK_AND_ASSIGN(const ManifestPutResult put,
                       RUN(backend().PutManifest(kCall, Repo(), Put(Sha256(content).ToString(), content))));
  EXPECT_EQ(put.subject, subject);
  for (const char* type : {"", "application/vnd.example+x"}) {
    ASSERT_OK_AND_ASSIGN(const ReferrerPage page, RUN(backend().ListReferrers(kCall, Repo(), subject, type, 10, "")));
    ASSERT_EQ(page.referrers.size(), 1u);
    const Referrer& referrer = page.referrers.front();
    EXPECT_EQ(referrer.digest, put.digest);
    EXPECT_EQ(referrer.media_type, kImage);
    EXPECT_EQ(referrer.size_bytes, content.size());
    EXPECT_EQ(referrer.artifact_type, "application/vnd.example+x");
    EXPECT_THAT(referrer.annotations, ElementsAre(std::pair("k", "v"), std::pair("l", "w")));
    EXPECT_EQ(page.next, std::nullopt);
  }
  EXPECT_THAT(RUN(backend().ListReferrers(kCall, Repo(), subject, "other/type", 10, ""))->referrers, IsEmpty());
}

TEST_P(ManifestBackendConformanceTest, PassesOnMaintenanceCommands) {
  manifest::v1::MaintainRequest request;
  request.set_remote_address("192.0.2.1");
  request.mutable_caller()->set_account("ada");
  request.mutable_start_job()->mutable_back_up()->set_name("nightly");
  ASSERT_OK_AND_ASSIGN(const manifest::v1::MaintainResponse started, RUN(backend().Maintain(kCall, request)));
  EXPECT_EQ(started.job().id(), "1");
  EXPECT_EQ(maintenance().last_request().SerializeAsString(), request.SerializeAsString());
  request.mutable_get_job()->set_id("7");
  ASSERT_OK(RUN(backend().Maintain(kCall, request)));
  EXPECT_EQ(maintenance().last_request().get_job().id(), "7");
  maintenance().FailWith(absl::NotFoundError("there is no job \"7\""));
  const absl::Status unknown = RUN(backend().Maintain(kCall, request)).status();
  EXPECT_THAT(unknown, StatusIs(absl::StatusCode::kNotFound));
  EXPECT_EQ(unknown.message(), "there is no job \"7\"");
}

TEST_P(ManifestBackendConformanceTest, PassesOnReportsOfDamage) {
  const Blob blob = MakeBlob("abc", 'd');
  EXPECT_OK(RUN(backend().ReportDamage(kCall, blob)));
  EXPECT_THAT(maintenance().damages(), ElementsAre(std::pair(blob.digest, blob.storage_key)));
  maintenance().FailWith(absl::UnavailableError("the blob service is gone"));
  EXPECT_THAT(RUN(backend().ReportDamage(kCall, blob)), StatusIs(absl::StatusCode::kUnavailable));
}

}  // namespace
}  // namespace entrepot::gateway
