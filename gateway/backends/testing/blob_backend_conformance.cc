#include "gateway/backends/testing/blob_backend_conformance.h"

#include <unistd.h>

#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "gateway/backends/testing/run_awaitable.h"
#include "services/core/content.h"
#include "services/core/digester.h"
#include "services/status/retry_after.h"
#include "services/status/status_macros.h"
#include "services/status/status_matchers.h"

namespace entrepot::gateway {
namespace {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(BlobBackendConformanceTest);

using boost::asio::awaitable;

const CallContext kCall{"conformance"};

RepositoryName Repo(absl::string_view name = "team/app") { return RepositoryName::Parse(name).value(); }

// Bytes that differ by their position.
std::string Pattern(size_t size) {
  std::string bytes(size, '\0');
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<char>((i * 2654435761u) >> 13);
  return bytes;
}

awaitable<absl::StatusOr<Upload>> AppendAll(BlobBackend& backend, const UploadId& id, const AppendOptions& options,
                                            absl::string_view bytes, size_t chunk) {
  CO_ASSIGN_OR_RETURN(const auto stream, co_await backend.AppendToUpload(kCall, Repo(), id, options));
  for (size_t at = 0; at < bytes.size(); at += chunk) {
    CO_RETURN_IF_ERROR(co_await stream->Append(bytes.substr(at, chunk)));
  }
  co_return co_await stream->Finish();
}

// Uploads bytes, from the start of the session to the sealed object.
awaitable<absl::StatusOr<Blob>> Store(BlobBackend& backend, const std::string& bytes, DigestAlgorithm algorithm) {
  CO_ASSIGN_OR_RETURN(const Upload upload, co_await backend.StartUpload(kCall, Repo(), algorithm));
  CO_RETURN_IF_ERROR((co_await AppendAll(backend, upload.id, {}, bytes, 200'000)).status());
  co_return co_await backend.SealUpload(kCall, Repo(), upload.id, ComputeDigest(algorithm, bytes));
}

awaitable<absl::StatusOr<std::string>> ReadAll(ByteStream& stream) {
  std::string all;
  for (;;) {
    CO_ASSIGN_OR_RETURN(const absl::string_view bytes, co_await stream.Next());
    if (bytes.empty()) co_return all;
    absl::StrAppend(&all, bytes);
  }
}

absl::StatusOr<std::string> ReadFile(const FileBody& body) {
  std::string bytes(body.length_bytes, '\0');
  const ssize_t count = pread(body.file.get(), bytes.data(), bytes.size(), static_cast<off_t>(body.offset_bytes));
  if (count != static_cast<ssize_t>(bytes.size())) return absl::DataLossError("short read");
  return bytes;
}

awaitable<absl::StatusOr<std::string>> Fetch(BlobBackend& backend, const Blob& sealed, const ByteRange& range,
                                             size_t memory_bytes = BlobBackend::kReadMemoryBytes) {
  CO_ASSIGN_OR_RETURN(ObjectContent content, co_await backend.ReadObject(kCall, sealed, range, memory_bytes,
                                                                         /*may_redirect=*/true));
  if (!content.url.empty()) co_return absl::FailedPreconditionError("a redirect");
  if (auto* bytes = std::get_if<std::string>(&content.bytes)) co_return std::move(*bytes);
  if (auto* file = std::get_if<FileBody>(&content.bytes)) co_return ReadFile(*file);
  co_return co_await ReadAll(*std::get<StreamBody>(content.bytes).stream);
}

#define RUN(awaitable) RunAwaitable(context_, awaitable)

TEST_P(BlobBackendConformanceTest, ASessionIsKnownToItsAccountOnly) {
  const CallContext ada{"conformance", {.account = "ada"}};
  const CallContext grace{"conformance", {.account = "grace"}};
  ASSERT_OK_AND_ASSIGN(const Upload upload, RUN(backend().StartUpload(ada, Repo(), DigestAlgorithm::kSha256)));
  const Digest empty = ComputeDigest(DigestAlgorithm::kSha256, "");
  for (const CallContext& other : {grace, kCall}) {
    const std::vector<absl::Status> unknown = {
        RUN(backend().GetUpload(other, Repo(), upload.id)).status(),
        RUN(backend().AppendToUpload(other, Repo(), upload.id, {})).status(),
        RUN(backend().SealUpload(other, Repo(), upload.id, empty)).status(),
        RUN(backend().CancelUpload(other, Repo(), upload.id)),
    };
    for (const absl::Status& status : unknown) EXPECT_THAT(status, IsOciError(OciErrorCode::kBlobUploadUnknown));
    EXPECT_OK(RUN(backend().ForgetUpload(other, Repo(), upload.id)));
  }
  ASSERT_OK_AND_ASSIGN(const auto stream, RUN(backend().AppendToUpload(ada, Repo(), upload.id, {})));
  EXPECT_OK(RUN(stream->FinishAndSeal(empty)));
  EXPECT_OK(RUN(backend().SealUpload(ada, Repo(), upload.id, empty)));
  EXPECT_THAT(RUN(backend().SealUpload(grace, Repo(), upload.id, empty)), IsOciError(OciErrorCode::kBlobUploadUnknown));
}

TEST_P(BlobBackendConformanceTest, StoresAndReadsBack) {
  // Both tiers, an empty object, and sizes around the messages of a stream.
  for (const size_t size : {size_t{0}, size_t{1}, size_t{4096}, size_t{65536}, size_t{65537}, size_t{262144},
                            size_t{262145}, size_t{3'000'001}}) {
    for (const DigestAlgorithm algorithm : {DigestAlgorithm::kSha256, DigestAlgorithm::kSha512}) {
      const std::string bytes = Pattern(size);
      ASSERT_OK_AND_ASSIGN(const Blob sealed, RUN(Store(backend(), bytes, algorithm)));
      EXPECT_EQ(sealed.digest, ComputeDigest(algorithm, bytes));
      EXPECT_EQ(sealed.size_bytes, size);
      for (const size_t memory_bytes : {BlobBackend::kReadMemoryBytes, size_t{16 << 10}}) {
        ASSERT_OK_AND_ASSIGN(const std::string read, RUN(Fetch(backend(), sealed, {0, size}, memory_bytes)));
        EXPECT_EQ(read == bytes, true) << size;
      }
    }
  }
}

TEST_P(BlobBackendConformanceTest, ReadsRanges) {
  for (const size_t size : {size_t{5000}, size_t{1'000'000}}) {
    const std::string bytes = Pattern(size);
    ASSERT_OK_AND_ASSIGN(const Blob sealed, RUN(Store(backend(), bytes, DigestAlgorithm::kSha256)));
    for (const ByteRange& range : {ByteRange{0, 1}, ByteRange{1, 4999}, ByteRange{size - 1, 1}, ByteRange{100, 4000},
                                   ByteRange{0, size}, ByteRange{size / 2, size / 2}}) {
      ASSERT_OK_AND_ASSIGN(const std::string read, RUN(Fetch(backend(), sealed, range)));
      EXPECT_EQ(read == bytes.substr(range.offset_bytes, range.length_bytes), true) << range.offset_bytes;
    }
    EXPECT_THAT(RUN(Fetch(backend(), sealed, {1, size})), StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(RUN(Fetch(backend(), sealed, {size + 1, 1})), StatusIs(absl::StatusCode::kDataLoss));
  }
}

TEST_P(BlobBackendConformanceTest, DoesNotFindAMissingObject) {
  for (const char tier : {'f', 'k'}) {
    const StorageKey key = StorageKey::Parse(tier + std::string(32, '0')).value();
    const Blob sealed{ComputeDigest(DigestAlgorithm::kSha256, "x"), 1, key};
    EXPECT_THAT(RUN(Fetch(backend(), sealed, {0, 1})), StatusIs(absl::StatusCode::kNotFound)) << tier;
  }
}

TEST_P(BlobBackendConformanceTest, AStreamMayBeAbandoned) {
  const std::string bytes = Pattern(3'000'000);
  ASSERT_OK_AND_ASSIGN(const Blob sealed, RUN(Store(backend(), bytes, DigestAlgorithm::kSha256)));
  ASSERT_OK_AND_ASSIGN(ObjectContent content,
                       RUN(backend().ReadObject(kCall, sealed, {0, bytes.size()}, 16 << 10, false)));
  if (auto* stream = std::get_if<StreamBody>(&content.bytes)) {
    ASSERT_OK_AND_ASSIGN(const absl::string_view first, RUN(stream->stream->Next()));
    EXPECT_LE(first.size(), size_t{16 << 10});
    EXPECT_EQ(first, absl::string_view(bytes).substr(0, first.size()));
  }
  content = ObjectContent();
  EXPECT_THAT(RUN(Fetch(backend(), sealed, {0, 10})), IsOkAndHolds(bytes.substr(0, 10)));
}

TEST_P(BlobBackendConformanceTest, AppendsAtTheEndOfTheSessionOnly) {
  ASSERT_OK_AND_ASSIGN(const Upload upload, RUN(backend().StartUpload(kCall, Repo(), DigestAlgorithm::kSha256)));
  EXPECT_EQ(upload.offset_bytes, 0u);
  AppendOptions options;
  options.offset_bytes = 0;
  ASSERT_OK_AND_ASSIGN(Upload now, RUN(AppendAll(backend(), upload.id, options, "hello", 2)));
  EXPECT_EQ(now.offset_bytes, 5u);
  EXPECT_EQ(now.id, upload.id);
  for (const uint64_t wrong : {0u, 4u, 6u}) {
    options.offset_bytes = wrong;
    EXPECT_THAT(RUN(AppendAll(backend(), upload.id, options, "x", 1)), IsOciError(OciErrorCode::kRangeInvalid))
        << wrong;
  }
  options.offset_bytes = 5;
  EXPECT_OK(RUN(AppendAll(backend(), upload.id, options, " world", 100)));
  ASSERT_OK_AND_ASSIGN(now, RUN(backend().GetUpload(kCall, Repo(), upload.id)));
  EXPECT_EQ(now.offset_bytes, 11u);
  EXPECT_OK(
      RUN(backend().SealUpload(kCall, Repo(), upload.id, ComputeDigest(DigestAlgorithm::kSha256, "hello world"))));
}

TEST_P(BlobBackendConformanceTest, AllowsOneAppendAtATime) {
  ASSERT_OK_AND_ASSIGN(const Upload upload, RUN(backend().StartUpload(kCall, Repo(), DigestAlgorithm::kSha256)));
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadStream> first,
                       RUN(backend().AppendToUpload(kCall, Repo(), upload.id, {})));
  EXPECT_OK(RUN(first->Append("abc")));
  EXPECT_THAT(RUN(backend().AppendToUpload(kCall, Repo(), upload.id, {})), IsOciError(OciErrorCode::kRangeInvalid));
  ASSERT_OK_AND_ASSIGN(const Upload now, RUN(first->Finish()));
  EXPECT_EQ(now.offset_bytes, 3u);
  EXPECT_OK(RUN(AppendAll(backend(), upload.id, {}, "def", 3)));
}

TEST_P(BlobBackendConformanceTest, RefusesAWrongDigest) {
  ASSERT_OK_AND_ASSIGN(const Upload upload, RUN(backend().StartUpload(kCall, Repo(), DigestAlgorithm::kSha256)));
  EXPECT_OK(RUN(AppendAll(backend(), upload.id, {}, "abc", 3)));
  const Digest other = ComputeDigest(DigestAlgorithm::kSha256, "abd");
  EXPECT_THAT(RUN(backend().SealUpload(kCall, Repo(), upload.id, other)), IsOciError(OciErrorCode::kDigestInvalid));
}

TEST_P(BlobBackendConformanceTest, SealsAgainUntilForgotten) {
  const Digest digest = ComputeDigest(DigestAlgorithm::kSha256, "abc");
  ASSERT_OK_AND_ASSIGN(const Upload upload, RUN(backend().StartUpload(kCall, Repo(), DigestAlgorithm::kSha256)));
  EXPECT_OK(RUN(AppendAll(backend(), upload.id, {}, "abc", 3)));
  ASSERT_OK_AND_ASSIGN(const Blob first, RUN(backend().SealUpload(kCall, Repo(), upload.id, digest)));
  ASSERT_OK_AND_ASSIGN(const Blob second, RUN(backend().SealUpload(kCall, Repo(), upload.id, digest)));
  EXPECT_EQ(first.storage_key, second.storage_key);
  EXPECT_THAT(RUN(backend().CancelUpload(kCall, Repo(), upload.id)), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_OK(RUN(backend().ForgetUpload(kCall, Repo(), upload.id)));
  EXPECT_OK(RUN(backend().ForgetUpload(kCall, Repo(), upload.id)));
  EXPECT_THAT(RUN(backend().SealUpload(kCall, Repo(), upload.id, digest)), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(RUN(Fetch(backend(), first, {0, 3})), IsOkAndHolds(std::string("abc")));
}

TEST_P(BlobBackendConformanceTest, SealsWithTheLastBytes) {
  for (const std::string& bytes : {std::string(), std::string("abc"), Pattern(1'000'000)}) {
    const Digest digest = ComputeDigest(DigestAlgorithm::kSha512, bytes);
    ASSERT_OK_AND_ASSIGN(const Upload upload, RUN(backend().StartUpload(kCall, Repo(), DigestAlgorithm::kSha512)));
    ASSERT_OK_AND_ASSIGN(const auto stream, RUN(backend().AppendToUpload(kCall, Repo(), upload.id, {})));
    if (!bytes.empty()) {
      EXPECT_OK(RUN(stream->Append(bytes)));
    }
    ASSERT_OK_AND_ASSIGN(const Blob sealed, RUN(stream->FinishAndSeal(digest)));
    EXPECT_EQ(sealed.size_bytes, bytes.size());
    ASSERT_OK_AND_ASSIGN(const Blob again, RUN(backend().SealUpload(kCall, Repo(), upload.id, digest)));
    EXPECT_EQ(again.storage_key, sealed.storage_key);
    ASSERT_OK_AND_ASSIGN(const std::string read, RUN(Fetch(backend(), sealed, {0, bytes.size()})));
    EXPECT_EQ(read == bytes, true);
  }
  ASSERT_OK_AND_ASSIGN(const Upload upload, RUN(backend().StartUpload(kCall, Repo(), DigestAlgorithm::kSha256)));
  ASSERT_OK_AND_ASSIGN(const auto stream, RUN(backend().AppendToUpload(kCall, Repo(), upload.id, {})));
  EXPECT_OK(RUN(stream->Append("abc")));
  EXPECT_THAT(RUN(stream->FinishAndSeal(ComputeDigest(DigestAlgorithm::kSha256, "abd"))),
              IsOciError(OciErrorCode::kDigestInvalid));
}

TEST_P(BlobBackendConformanceTest, ASessionIsKnownInItsRepositoryOnly) {
  ASSERT_OK_AND_ASSIGN(const Upload upload, RUN(backend().StartUpload(kCall, Repo(), DigestAlgorithm::kSha256)));
  const RepositoryName other = Repo("other");
  EXPECT_THAT(RUN(backend().GetUpload(kCall, other, upload.id)), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(RUN(backend().AppendToUpload(kCall, other, upload.id, {})), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_THAT(RUN(backend().CancelUpload(kCall, other, upload.id)), IsOciError(OciErrorCode::kBlobUploadUnknown));
  EXPECT_OK(RUN(backend().CancelUpload(kCall, Repo(), upload.id)));
  EXPECT_OK(RUN(backend().CancelUpload(kCall, Repo(), upload.id)));
  EXPECT_THAT(RUN(backend().GetUpload(kCall, Repo(), upload.id)), IsOciError(OciErrorCode::kBlobUploadUnknown));
}

TEST_P(BlobBackendConformanceTest, RepeatedLastBytesReplaceThoseOfTheWholeBlob) {
  ASSERT_OK_AND_ASSIGN(const Upload upload, RUN(backend().StartUpload(kCall, Repo(), DigestAlgorithm::kSha256)));
  AppendOptions last;
  last.last = true;
  EXPECT_OK(RUN(AppendAll(backend(), upload.id, last, "ab", 2)));
  EXPECT_TRUE(RUN(backend().GetUpload(kCall, Repo(), upload.id))->whole);
  EXPECT_OK(RUN(AppendAll(backend(), upload.id, last, "abc", 3)));
  const Digest digest = ComputeDigest(DigestAlgorithm::kSha256, "abc");
  EXPECT_OK(RUN(backend().SealUpload(kCall, Repo(), upload.id, digest)));
}

TEST_P(BlobBackendConformanceTest, CallersWithoutAnAccountHaveAShareForEachAddress) {
  CallContext call{.request_id = "conformance", .remote_address = "192.0.2.1"};
  absl::Status status;
  // The default of uploads.sessions_per_account_max.
  for (int i = 0; i < 1'000; ++i) {
    status.Update(RUN(backend().StartUpload(call, Repo(), DigestAlgorithm::kSha256)).status());
  }
  EXPECT_OK(status);
  const absl::Status refusal = RUN(backend().StartUpload(call, Repo(), DigestAlgorithm::kSha256)).status();
  EXPECT_THAT(refusal, IsOciError(OciErrorCode::kTooManyRequests));
  EXPECT_GT(GetRetryAfter(refusal), absl::Minutes(1));
  call.remote_address = "192.0.2.2";
  EXPECT_OK(RUN(backend().StartUpload(call, Repo(), DigestAlgorithm::kSha256)));
}

TEST_P(BlobBackendConformanceTest, KeepsTheBytesOfAnAbandonedStream) {
  ASSERT_OK_AND_ASSIGN(const Upload upload, RUN(backend().StartUpload(kCall, Repo(), DigestAlgorithm::kSha256)));
  EXPECT_OK(RUN(AppendAll(backend(), upload.id, {}, "abc", 3)));
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadStream> stream,
                         RUN(backend().AppendToUpload(kCall, Repo(), upload.id, {})));
    EXPECT_OK(RUN(stream->Append("def")));
  }
  ASSERT_OK_AND_ASSIGN(const Upload now, RUN(backend().GetUpload(kCall, Repo(), upload.id)));
  EXPECT_GE(now.offset_bytes, 3u);
}

}  // namespace
}  // namespace entrepot::gateway
