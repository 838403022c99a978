#include "services/upstream/testing/cache_store_conformance.h"

#include <limits>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "services/core/digester.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

using testing::ElementsAre;

constexpr char kUpstream[] = "up";
constexpr char kImageType[] = "application/vnd.oci.image.manifest.v1+json";

RepositoryName Repo(absl::string_view name) { return RepositoryName::Parse(name).value(); }
Tag TagNamed(absl::string_view name) { return Tag::Parse(name).value(); }
Digest DigestOf(absl::string_view bytes) { return ComputeDigest(DigestAlgorithm::kSha256, bytes); }

std::string Descriptor(absl::string_view bytes) {
  return absl::StrCat(R"({"mediaType":"application/octet-stream","digest":")", DigestOf(bytes).ToString(),
                      R"(","size":)", bytes.size(), "}");
}
std::string Image(absl::string_view config, absl::string_view layer) {
  return absl::StrCat(R"({"schemaVersion":2,"mediaType":")", kImageType, R"(","config":)", Descriptor(config),
                      R"(,"layers":[)", Descriptor(layer), "]}");
}

std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>(i * 7 + i / 251);
  return bytes;
}

}  // namespace

absl::Status CacheStoreConformanceTest::Write(const RepositoryName& repository, absl::string_view bytes,
                                              size_t piece_bytes) {
  absl::StatusOr<std::unique_ptr<BlobWriter>> writer = store().WriteBlob(repository, kUpstream, DigestOf(bytes));
  if (!writer.ok()) return writer.status();
  while (!bytes.empty()) {
    const absl::string_view piece = bytes.substr(0, piece_bytes);
    if (absl::Status status = (*writer)->Append(piece); !status.ok()) return status;
    bytes.remove_prefix(piece.size());
  }
  return (*writer)->Commit();
}

absl::Status CacheStoreConformanceTest::Put(const RepositoryName& repository, const std::string& content) {
  return store().PutManifest(repository, kUpstream, kImageType, content, std::nullopt).status();
}

namespace {

TEST_P(CacheStoreConformanceTest, StoresManifestsWithoutTheirBlobs) {
  const std::string image = Image("config", "layer");
  const RepositoryName repository = Repo("up/image");
  EXPECT_THAT(store().FindManifest(repository, TagNamed("v1"), false), IsOciError(OciErrorCode::kManifestUnknown));
  ASSERT_OK_AND_ASSIGN(const Digest digest,
                       store().PutManifest(repository, kUpstream, kImageType, image, TagNamed("v1")));
  EXPECT_EQ(digest, DigestOf(image));
  for (const Reference& reference : {Reference(TagNamed("v1")), Reference(digest)}) {
    ASSERT_OK_AND_ASSIGN(const StoredManifest found, store().FindManifest(repository, reference, false));
    EXPECT_EQ(found.content, image);
    EXPECT_EQ(found.media_type, kImageType);
    ASSERT_OK_AND_ASSIGN(const StoredManifest head, store().FindManifest(repository, reference, true));
    EXPECT_EQ(head.content, "");
    EXPECT_EQ(head.size_bytes, image.size());
  }
  EXPECT_THAT(store().FindBlob(repository, DigestOf("layer")), IsOciError(OciErrorCode::kBlobUnknown));

  // A tag moves, and a manifest without a tag has none.
  const std::string second = Image("config", "layer 2");
  ASSERT_OK(Put(repository, Image("config", "layer 3")));
  ASSERT_OK(store().PutManifest(repository, kUpstream, kImageType, second, TagNamed("v1")).status());
  EXPECT_EQ(store().FindManifest(repository, TagNamed("v1"), true)->digest, DigestOf(second));
  ASSERT_OK(store().PutManifest(repository, kUpstream, kImageType, second, TagNamed("v2")).status());
  ASSERT_OK_AND_ASSIGN(const TagPage page, store().ListTags(repository, 1, ""));
  EXPECT_THAT(page.tags, ElementsAre("v1"));
  EXPECT_TRUE(page.more);
  EXPECT_THAT(store().ListTags(repository, 10, "v1")->tags, ElementsAre("v2"));
  EXPECT_THAT(store().ListTags(Repo("up/none"), 10, ""), IsOciError(OciErrorCode::kNameUnknown));
}

TEST_P(CacheStoreConformanceTest, TakesTheTypeFromTheHeaderOrTheContent) {
  const std::string image = Image("config", "layer");
  const RepositoryName repository = Repo("up/image");
  for (const std::string& type :
       {absl::StrCat(kImageType, "; charset=utf-8"), std::string(), std::string("nonsense")}) {
    ASSERT_OK(store().PutManifest(repository, kUpstream, type, image, std::nullopt).status()) << type;
    EXPECT_EQ(store().FindManifest(repository, DigestOf(image), true)->media_type, kImageType);
  }
  EXPECT_THAT(
      store().PutManifest(repository, kUpstream, "application/vnd.oci.image.index.v1+json", image, std::nullopt),
      IsOciError(OciErrorCode::kManifestInvalid));
  EXPECT_THAT(store().PutManifest(repository, kUpstream, "text/html", "<html>", std::nullopt),
              IsOciError(OciErrorCode::kManifestInvalid));
}

TEST_P(CacheStoreConformanceTest, StoresBlobs) {
  const RepositoryName repository = Repo("up/image");
  // Around the pieces of both tiers and of the wire.
  for (const size_t size :
       {size_t{0}, size_t{1}, size_t{65536}, size_t{65537}, size_t{1'048'576}, size_t{1'048'577}, size_t{3'000'001}}) {
    for (const size_t piece_bytes : {size_t{16'384}, size_t{5'000'000}}) {
      const std::string bytes = absl::StrCat(piece_bytes, Pattern(size));
      const std::string content = size == 0 ? "" : bytes;
      ASSERT_OK(Write(repository, content, piece_bytes)) << size;
      ASSERT_OK_AND_ASSIGN(const Blob found, store().FindBlob(repository, DigestOf(content)));
      EXPECT_EQ(found.size_bytes, content.size());
      EXPECT_OK(under_test_->objects().Verify(found, 0)) << size;
    }
  }
  EXPECT_EQ(OpenUploads(), 0u);
  EXPECT_EQ(SealedUploads(), 0u);
}

TEST_P(CacheStoreConformanceTest, StoresABlobOfSha512) {
  const Digest digest = ComputeDigest(DigestAlgorithm::kSha512, "layer");
  ASSERT_OK_AND_ASSIGN(const auto writer, store().WriteBlob(Repo("up/image"), kUpstream, digest));
  ASSERT_OK(writer->Append("layer"));
  ASSERT_OK(writer->Commit());
  EXPECT_OK(under_test_->objects().Verify(store().FindBlob(Repo("up/image"), digest).value(), 0));
}

TEST_P(CacheStoreConformanceTest, DoesNotStoreWhatHasAnotherDigest) {
  for (const size_t size : {size_t{10}, size_t{2'000'000}}) {
    const std::string bytes = Pattern(size);
    ASSERT_OK_AND_ASSIGN(auto writer, store().WriteBlob(Repo("up/image"), kUpstream, DigestOf(bytes)));
    ASSERT_OK(writer->Append(bytes.substr(1)));
    EXPECT_THAT(writer->Commit(), IsOciError(OciErrorCode::kDigestInvalid));
    writer.reset();
    EXPECT_THAT(store().FindBlob(Repo("up/image"), DigestOf(bytes)), IsOciError(OciErrorCode::kBlobUnknown));
  }
  EXPECT_EQ(OpenUploads(), 0u);
}

TEST_P(CacheStoreConformanceTest, DropsTheBytesOfAnAbandonedWriter) {
  for (const size_t size : {size_t{0}, size_t{10}, size_t{2'000'000}}) {
    const std::string bytes = Pattern(size);
    ASSERT_OK_AND_ASSIGN(auto writer, store().WriteBlob(Repo("up/image"), kUpstream, DigestOf(bytes)));
    EXPECT_EQ(OpenUploads(), 1u);
    ASSERT_OK(writer->Append(bytes));
    writer.reset();
    EXPECT_EQ(OpenUploads(), 0u);
    EXPECT_THAT(store().FindBlob(Repo("up/image"), DigestOf(bytes)), IsOciError(OciErrorCode::kBlobUnknown));
  }
}

TEST_P(CacheStoreConformanceTest, ManyWritersWorkAtOnce) {
  std::vector<std::thread> writers;
  for (int i = 0; i < 32; ++i) {
    writers.emplace_back([this, i] {
      // Half of them write the same blob.
      const std::string bytes = absl::StrCat(i % 2 == 0 ? 0 : i, Pattern(100'000));
      EXPECT_OK(Write(Repo(absl::StrCat("up/image", i)), bytes));
      EXPECT_OK(store().FindBlob(Repo(absl::StrCat("up/image", i)), DigestOf(bytes)).status());
    });
  }
  for (std::thread& writer : writers) writer.join();
  EXPECT_EQ(OpenUploads(), 0u);
}

TEST_P(CacheStoreConformanceTest, FindsWhatAManifestNeedsInAnotherCacheOfTheUpstream) {
  ASSERT_OK(Write(Repo("up/other"), "layer"));
  under_test_->Push(Repo("hosted"), "config");
  EXPECT_THAT(store().FindBlob(Repo("up/image"), DigestOf("layer")), IsOciError(OciErrorCode::kBlobUnknown));
  ASSERT_OK(Put(Repo("up/image"), Image("config", "layer")));
  ASSERT_OK_AND_ASSIGN(const Blob found, store().FindBlob(Repo("up/image"), DigestOf("layer")));
  EXPECT_OK(under_test_->objects().Verify(found, 0));
  // Not what only a hosted repository has.
  EXPECT_THAT(store().FindBlob(Repo("up/image"), DigestOf("config")), IsOciError(OciErrorCode::kBlobUnknown));
}

TEST_P(CacheStoreConformanceTest, OneHolderHasTheClaimOnADigest) {
  const auto claim = [&](const std::string& holder, absl::Duration lifetime) {
    return store().ClaimFetch(
        {.upstream = kUpstream, .digest = DigestOf("layer"), .holder = holder, .lifetime = lifetime});
  };
  EXPECT_THAT(claim("one", absl::Seconds(30)), IsOkAndHolds(true));
  EXPECT_THAT(claim("two", absl::Seconds(30)), IsOkAndHolds(false));
  EXPECT_THAT(claim("one", absl::Seconds(30)), IsOkAndHolds(true));
  EXPECT_THAT(claim("one", absl::ZeroDuration()), IsOkAndHolds(false));
  EXPECT_THAT(claim("two", absl::Seconds(30)), IsOkAndHolds(true));
  EXPECT_THAT(claim("two", absl::Hours(1)), StatusIs(absl::StatusCode::kInvalidArgument));
}

TEST_P(CacheStoreConformanceTest, AsksTheCatalogForRoom) {
  RoomRequest request;
  request.upstream = kUpstream;
  request.bytes_max = 5;
  ASSERT_OK_AND_ASSIGN(const types::v1::CacheEviction eviction, store().MakeRoom(request));
  ASSERT_EQ(eviction.images_size(), 1);
  EXPECT_EQ(eviction.images(0).repository(), kUpstream);
  request = RoomRequest();
  request.upstream = "other";
  request.also_recent = true;
  request.repository = Repo("up/image");
  request.reference = DigestOf("image");
  request.dry_run = true;
  ASSERT_OK(store().MakeRoom(request));
  const std::vector<RoomRequest> requests = room_requests();
  ASSERT_EQ(requests.size(), 2u);
  EXPECT_EQ(requests[0].bytes_max, 5u);
  EXPECT_FALSE(requests[0].also_recent || requests[0].dry_run);
  EXPECT_FALSE(requests[0].repository.has_value() || requests[0].reference.has_value());
  EXPECT_EQ(requests[1].upstream, "other");
  EXPECT_EQ(requests[1].bytes_max, std::numeric_limits<uint64_t>::max());
  EXPECT_TRUE(requests[1].also_recent && requests[1].dry_run);
  EXPECT_EQ(requests[1].repository, Repo("up/image"));
  EXPECT_EQ(requests[1].reference, Reference(DigestOf("image")));
}

TEST_P(CacheStoreConformanceTest, KeepsOffHostedRepositories) {
  under_test_->Push(Repo("up/hosted"), "layer");
  EXPECT_THAT(Put(Repo("up/hosted"), Image("config", "layer")), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Write(Repo("up/hosted"), "config"), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(store().FindBlob(Repo("up/hosted"), DigestOf("config")), IsOciError(OciErrorCode::kBlobUnknown));
}

}  // namespace
}  // namespace entrepot::upstream
