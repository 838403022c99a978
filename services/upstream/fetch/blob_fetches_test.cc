#include "services/upstream/fetch/blob_fetches.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/synchronization/notification.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/digester.h"
#include "services/core/time/eventually.h"
#include "services/core/time/stopwatch.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/oci_error.h"
#include "services/status/retry_after.h"
#include "services/status/status_macros.h"
#include "services/status/status_matchers.h"
#include "services/upstream/registry/upstream_error.h"
#include "services/upstream/testing/fake_cache_store.h"
#include "services/upstream/testing/fake_upstream_registry.h"

namespace entrepot::upstream {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using BlobScript = FakeUpstreamRegistry::BlobScript;

constexpr size_t kHeldBack = 65536;
// Read in pieces of 16 KiB.
constexpr size_t kSize = 300'000;

// Bytes without a pattern that is shorter than them.
std::string Content(size_t size, uint32_t seed = 1) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) {
    seed = seed * 1664525 + 1013904223;
    byte = static_cast<char>(seed >> 24);
  }
  return bytes;
}

CachedRepository Cached(const std::string& name, const std::string& upstream = "docker.io") {
  return {.upstream = upstream, .repository = *RepositoryName::Parse(upstream + "/" + name), .name_at_upstream = name};
}

absl::Status Failure(UpstreamFailure failure, std::optional<absl::Duration> retry_after = {}) {
  return UpstreamError(failure, "as the test wants", retry_after);
}

// Waits for a callback; false if it does not come.
template <typename Ask>
bool Await(const Ask& ask) {
  const auto called = std::make_shared<absl::Notification>();
  ask([called] { called->Notify(); });
  return called->WaitForNotificationWithTimeout(absl::Seconds(30));
}

// Reads from bytes->size() until `size` bytes are read or the blob ends. An error leaves in `bytes` what came before.
absl::Status ReadUntil(FetchReader& reader, uint64_t size, std::string* bytes) {
  std::string buffer(20'000, ' ');
  while (bytes->size() < size) {
    const bool stored = reader.stored();
    const size_t wanted = std::min<uint64_t>(buffer.size(), size - bytes->size());
    ASSIGN_OR_RETURN(const size_t count, reader.Read(bytes->size(), buffer.data(), wanted));
    bytes->append(buffer, 0, count);
    if (count > 0) continue;
    if (stored) return absl::OkStatus();
    if (!Await([&](auto ready) { reader.WhenReadable(bytes->size(), std::move(ready)); })) {
      return absl::DeadlineExceededError("the reader was not called");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> ReadAll(FetchReader& reader) {
  std::string bytes;
  RETURN_IF_ERROR(ReadUntil(reader, UINT64_MAX, &bytes));
  return bytes;
}

std::optional<uint64_t> AwaitSize(FetchReader& reader) {
  Await([&](auto ready) { reader.WhenSizeKnown(std::move(ready)); });
  return reader.size_bytes();
}

class BlobFetchesTest : public ::testing::Test {
 protected:
  BlobFetchesTest() {
    options_.spool_directory = directory_.path() + "/spool";
    options_.resumptions_max = 2;
    options_.resumption_pause = absl::Milliseconds(1);
    // A failure is forgotten at once, unless a test is about that.
    options_.failure_lifetime = absl::ZeroDuration();
    options_.registry = metrics_;
  }
  ~BlobFetchesTest() override {
    // A test that failed may have left something that waits.
    store_.AllowCommits();
    upstream_->Stop();
  }

  BlobFetches& fetches() {
    if (fetches_ == nullptr) {
      auto created = BlobFetches::Create(&store_, options_);
      EXPECT_OK(created);
      fetches_ = *std::move(created);
    }
    return *fetches_;
  }

  absl::StatusOr<std::unique_ptr<FetchReader>> Open(const Digest& digest) {
    return fetches().Open(upstream_, nginx_, digest, "");
  }
  // A new fetch: the failure of the last one is forgotten.
  std::unique_ptr<FetchReader> OpenAnew(const Digest& digest) {
    absl::StatusOr<std::unique_ptr<FetchReader>> reader = absl::UnknownError("not opened");
    EXPECT_TRUE(Eventually([&] {
      reader = Open(digest);
      return reader.ok();
    }));
    return *std::move(reader);
  }
  absl::StatusOr<std::string> Fetch(const Digest& digest) {
    ASSIGN_OR_RETURN(const auto reader, Open(digest));
    return ReadAll(*reader);
  }
  // The digest of `content`, of which the upstream behaves as the script says.
  Digest Add(const std::string& content, BlobScript script = {}) {
    const Digest digest = upstream_->AddBlob("library/nginx", content);
    upstream_->SetScript(digest, std::move(script));
    return digest;
  }
  std::optional<std::string> Stored(const Digest& digest) const { return store_.BlobOf(nginx_.repository, digest); }

  // The value of the counter or gauge, summed over its labels that are not given.
  double Metric(const std::string& name, const std::string& label = "", const std::string& value = "") const {
    double sum = 0;
    for (const auto& family : metrics_->Collect()) {
      if (family.name != name) continue;
      for (const auto& metric : family.metric) {
        const bool counts = label.empty() || std::any_of(metric.label.begin(), metric.label.end(), [&](const auto& of) {
                              return of.name == label && of.value == value;
                            });
        if (counts) sum += metric.counter.value + metric.gauge.value;
      }
    }
    return sum;
  }

  // The fetch of `digest` fails by that kind, before a reader has all bytes, and nothing is stored.
  void ExpectNeverWhole(const Digest& digest, UpstreamFailure failure, size_t size = kSize) {
    ASSERT_OK_AND_ASSIGN(const auto reader, Open(digest));
    std::string read;
    const absl::Status status = ReadUntil(*reader, UINT64_MAX, &read);
    EXPECT_EQ(FailureOf(status), failure) << status;
    EXPECT_LT(read.size(), size);
    EXPECT_EQ(reader->status(), status);
    EXPECT_FALSE(reader->stored());
    EXPECT_EQ(Stored(digest), std::nullopt);
    EXPECT_EQ(store_.commits(), 0);
    EXPECT_EQ(Metric("entrepot_upstream_fetch_failures_total", "kind", std::string(ToString(failure))), 1);
  }

  const CachedRepository nginx_ = Cached("library/nginx");
  kv::TemporaryDirectory directory_;
  const std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  const std::shared_ptr<FakeUpstreamRegistry> upstream_ = std::make_shared<FakeUpstreamRegistry>();
  FakeCacheStore store_;
  BlobFetches::Options options_;
  std::unique_ptr<BlobFetches> fetches_;
};

TEST_F(BlobFetchesTest, FetchesABlobIntoTheStore) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content);
  ASSERT_OK_AND_ASSIGN(const auto reader, Open(digest));
  EXPECT_EQ(AwaitSize(*reader), kSize);
  EXPECT_THAT(ReadAll(*reader), IsOkAndHolds(content));
  EXPECT_TRUE(reader->stored());
  EXPECT_EQ(Stored(digest), content);
  EXPECT_EQ(Metric("entrepot_upstream_fetched_bytes_total", "upstream", "docker.io"), kSize);
  EXPECT_TRUE(Eventually([&] { return Metric("entrepot_upstream_fetches") == 0; }));
}

TEST_F(BlobFetchesTest, FetchesTheEmptyBlob) {
  const Digest digest = Add("");
  EXPECT_THAT(Fetch(digest), IsOkAndHolds(""));
  EXPECT_EQ(Stored(digest), "");
}

TEST_F(BlobFetchesTest, BytesAreReadableBeforeTheUpstreamHasSentTheRest) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content);
  upstream_->HoldAt(digest, 20'000);
  ASSERT_OK_AND_ASSIGN(const auto reader, Open(digest));
  std::string read;
  ASSERT_OK(ReadUntil(*reader, 20'000, &read));
  EXPECT_FALSE(reader->stored());
  EXPECT_EQ(Metric("entrepot_upstream_fetches"), 1);
  upstream_->Release(digest);
  ASSERT_OK(ReadUntil(*reader, UINT64_MAX, &read));
  EXPECT_TRUE(read == content);
}

TEST_F(BlobFetchesTest, TwoHundredReadersCauseOneFetch) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content);
  fetches();
  std::vector<std::thread> threads;
  std::atomic<int> whole = 0;
  for (int i = 0; i < 200; ++i) {
    threads.emplace_back([&] {
      const auto read = Fetch(digest);
      if (read.ok() && *read == content) ++whole;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(whole, 200);
  EXPECT_EQ(upstream_->blob_gets(digest), 1);
  EXPECT_EQ(store_.commits(), 1);
  EXPECT_EQ(Metric("entrepot_upstream_coalesced_reads_total", "upstream", "docker.io"), 199);
}

TEST_F(BlobFetchesTest, AReaderMayJoinAtTheLastByte) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content);
  upstream_->HoldAt(digest, kSize - 1);
  ASSERT_OK_AND_ASSIGN(const auto first, Open(digest));
  ASSERT_TRUE(Eventually([&] { return upstream_->Holds(digest); }));
  ASSERT_OK_AND_ASSIGN(const auto second, Open(digest));
  EXPECT_EQ(second->size_bytes(), kSize);
  std::thread release([&] { upstream_->Release(digest); });
  EXPECT_THAT(ReadAll(*second), IsOkAndHolds(content));
  EXPECT_THAT(ReadAll(*first), IsOkAndHolds(content));
  release.join();
  EXPECT_EQ(upstream_->blob_gets(digest), 1);
}

TEST_F(BlobFetchesTest, AReaderThatComesAfterTheEndReadsWhatWasFetched) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content);
  options_.stored_lifetime = absl::Minutes(5);
  EXPECT_THAT(Fetch(digest), IsOkAndHolds(content));
  EXPECT_THAT(Fetch(digest), IsOkAndHolds(content));
  EXPECT_EQ(upstream_->blob_gets(digest), 1);
}

TEST_F(BlobFetchesTest, AReaderKeepsTheBytesAfterTheFetchIsForgotten) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content);
  options_.stored_lifetime = absl::ZeroDuration();
  ASSERT_OK_AND_ASSIGN(const auto reader, Open(digest));
  ASSERT_TRUE(Eventually([&] { return reader->stored(); }));
  fetches_.reset();
  EXPECT_THAT(ReadAll(*reader), IsOkAndHolds(content));
}

TEST_F(BlobFetchesTest, ABlobThatIsStoredMeanwhileIsNotFetched) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content);
  store_.AddBlob(nginx_.repository, content);
  ASSERT_OK_AND_ASSIGN(const auto reader, Open(digest));
  EXPECT_EQ(AwaitSize(*reader), kSize);
  EXPECT_TRUE(reader->stored());
  EXPECT_THAT(ReadAll(*reader), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(upstream_->blob_gets(digest), 0);
}

TEST_F(BlobFetchesTest, AFetchGoesOnWithoutTheReaderThatBeganIt) {
  for (const size_t percent : {0, 50, 99}) {
    SCOPED_TRACE(percent);
    const std::string content = Content(kSize, static_cast<uint32_t>(percent + 1));
    const Digest digest = Add(content);
    const size_t offset = kSize * percent / 100;
    upstream_->HoldAt(digest, offset);
    ASSERT_OK_AND_ASSIGN(auto first, Open(digest));
    std::string read;
    ASSERT_OK(ReadUntil(*first, std::min(offset, kSize - kHeldBack), &read));
    first->WhenReadable(read.size(), [] { ADD_FAILURE() << "the reader is gone"; });
    ASSERT_TRUE(Eventually([&] { return upstream_->Holds(digest); }));
    ASSERT_OK_AND_ASSIGN(const auto second, Open(digest));
    first.reset();
    upstream_->Release(digest);
    EXPECT_THAT(ReadAll(*second), IsOkAndHolds(content));
    EXPECT_EQ(upstream_->blob_gets(digest), 1);
  }
}

TEST_F(BlobFetchesTest, AFetchGoesOnWithoutAnyReader) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content);
  ASSERT_OK(Open(digest));
  EXPECT_TRUE(Eventually([&] { return Stored(digest) == content; }));
}

TEST_F(BlobFetchesTest, ResumesWhereTheUpstreamBrokeOff) {
  const std::string content = Content(kSize);
  std::vector<uint64_t> cuts;
  for (uint64_t i = 1; i <= 10; ++i) cuts.push_back(i * 29'000);
  const Digest digest = Add(content, {.cuts = cuts});
  EXPECT_THAT(Fetch(digest), IsOkAndHolds(content));
  std::vector<uint64_t> reads = {0};
  reads.insert(reads.end(), cuts.begin(), cuts.end());
  EXPECT_EQ(upstream_->BlobReads(digest), reads);
  EXPECT_EQ(Stored(digest), content);
  EXPECT_EQ(Metric("entrepot_upstream_resumptions_total", "upstream", "docker.io"), 10);
  EXPECT_EQ(Metric("entrepot_upstream_fetched_bytes_total"), kSize);
}

TEST_F(BlobFetchesTest, ResumesABodyWithoutASizeThatIsCut) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content, {.cuts = {100'000}, .tells_size = false});
  EXPECT_THAT(Fetch(digest), IsOkAndHolds(content));
  EXPECT_THAT(upstream_->BlobReads(digest), ElementsAre(0, 100'000));
}

TEST_F(BlobFetchesTest, ResumesABodyThatIsShortButLooksWhole) {
  const std::string content = Content(kSize);
  const Digest sized = Add(content, {.cuts = {100'000}, .cut_status = absl::OkStatus()});
  EXPECT_THAT(Fetch(sized), IsOkAndHolds(content));
  const std::string other = Content(kSize, 2);
  const Digest unsized = Add(other, {.cuts = {100'000}, .cut_status = absl::OkStatus(), .tells_size = false});
  EXPECT_THAT(Fetch(unsized), IsOkAndHolds(other));
}

TEST_F(BlobFetchesTest, ABlobIsWholeIfTheUpstreamBreaksOffAfterItsLastByte) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content, {.cuts = {kSize}});
  EXPECT_THAT(Fetch(digest), IsOkAndHolds(content));
  EXPECT_EQ(upstream_->blob_gets(digest), 1);
}

TEST_F(BlobFetchesTest, ResumesAfterTheUpstreamHasLimitedItsRate) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content, {.cuts = {100'000}, .cut_status = Failure(UpstreamFailure::kRateLimited)});
  EXPECT_THAT(Fetch(digest), IsOkAndHolds(content));
}

TEST_F(BlobFetchesTest, SkipsWhatItHasIfTheUpstreamBeginsAnew) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content, {.cuts = {100'000, 50'000, 250'000}, .ignores_offset = true});
  EXPECT_THAT(Fetch(digest), IsOkAndHolds(content));
  EXPECT_THAT(upstream_->BlobReads(digest), ElementsAre(0, 100'000, 100'000, 250'000));
}

TEST_F(BlobFetchesTest, OtherBytesThanBeforeEndTheFetch) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content, {.cuts = {100'000}});
  upstream_->HoldAt(digest, 100'000);
  ASSERT_OK_AND_ASSIGN(const auto reader, Open(digest));
  ASSERT_TRUE(Eventually([&] { return upstream_->Holds(digest); }));
  upstream_->SetScript(digest, {.body = Content(kSize, 2), .ignores_offset = true});
  upstream_->Release(digest);
  std::string read;
  EXPECT_EQ(FailureOf(ReadUntil(*reader, UINT64_MAX, &read)), UpstreamFailure::kInvalid);
  EXPECT_LE(read.size(), 100'000);
  EXPECT_EQ(upstream_->blob_gets(digest), 2);
  EXPECT_EQ(Stored(digest), std::nullopt);
}

TEST_F(BlobFetchesTest, AnotherSizeThanBeforeEndsTheFetch) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content, {.cuts = {100'000}});
  upstream_->HoldAt(digest, 100'000);
  ASSERT_OK_AND_ASSIGN(const auto reader, Open(digest));
  ASSERT_TRUE(Eventually([&] { return upstream_->Holds(digest); }));
  upstream_->SetScript(digest, {.body = content + "more"});
  upstream_->Release(digest);
  EXPECT_EQ(FailureOf(ReadAll(*reader).status()), UpstreamFailure::kInvalid);
  EXPECT_EQ(upstream_->blob_gets(digest), 2);
}

TEST_F(BlobFetchesTest, ASizeThatIsLessThanWhatCameEndsTheFetch) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content, {.cuts = {100'000}, .tells_size = false});
  upstream_->HoldAt(digest, 100'000);
  ASSERT_OK_AND_ASSIGN(const auto reader, Open(digest));
  ASSERT_TRUE(Eventually([&] { return upstream_->Holds(digest); }));
  upstream_->SetScript(digest, {.told_size = 50'000});
  upstream_->Release(digest);
  EXPECT_EQ(FailureOf(ReadAll(*reader).status()), UpstreamFailure::kInvalid);
  EXPECT_EQ(upstream_->blob_gets(digest), 2);
}

TEST_F(BlobFetchesTest, CountsOnlyResumptionsInARowThatBringNoByte) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content, {.cuts = {100'000, 100'000, 200'000, 200'000}});
  EXPECT_THAT(Fetch(digest), IsOkAndHolds(content));
  EXPECT_EQ(upstream_->blob_gets(digest), 5);
}

TEST_F(BlobFetchesTest, GivesUpAfterResumptionsThatBringNoByte) {
  const Digest digest = Add(Content(kSize), {.cuts = std::vector<uint64_t>(20, 100'000)});
  ExpectNeverWhole(digest, UpstreamFailure::kUnavailable);
  EXPECT_THAT(upstream_->BlobReads(digest), ElementsAre(0, 100'000, 100'000));
}

TEST_F(BlobFetchesTest, WrongBytesAreNeverWhole) {
  const std::string content = Content(kSize);
  for (const size_t wrong : {size_t{0}, kSize - 1}) {
    SCOPED_TRACE(wrong);
    std::string body = content;
    body[wrong] ^= 1;
    for (const bool tells_size : {true, false}) {
      SCOPED_TRACE(tells_size);
      const Digest digest = Add(content, {.body = body, .tells_size = tells_size});
      const auto reader = OpenAnew(digest);
      std::string read;
      const absl::Status status = ReadUntil(*reader, UINT64_MAX, &read);
      EXPECT_EQ(FailureOf(status), UpstreamFailure::kInvalid) << status;
      EXPECT_LT(read.size(), kSize);
      EXPECT_EQ(Stored(digest), std::nullopt);
    }
  }
  EXPECT_EQ(store_.commits(), 0);
}

TEST_F(BlobFetchesTest, WrongBytesAreAskedForAgain) {
  const std::string content = Content(1000);
  const Digest digest = Add(content, {.body = Content(1000, 2)});
  EXPECT_EQ(FailureOf(Fetch(digest).status()), UpstreamFailure::kInvalid);
  upstream_->SetScript(digest, {});
  EXPECT_TRUE(Eventually([&] { return Fetch(digest).ok(); }));
  EXPECT_EQ(Stored(digest), content);
}

TEST_F(BlobFetchesTest, AShortBodyIsNeverWhole) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content, {.body = content.substr(0, kSize - 1), .told_size = kSize});
  ExpectNeverWhole(digest, UpstreamFailure::kInvalid);
}

TEST_F(BlobFetchesTest, AShortBodyWithoutASizeIsNeverWhole) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content, {.body = content.substr(0, kSize - 1), .tells_size = false});
  ExpectNeverWhole(digest, UpstreamFailure::kInvalid, kSize - 1);
  EXPECT_EQ(upstream_->blob_gets(digest), 2);
}

TEST_F(BlobFetchesTest, AnEmptyBodyIsNeverWhole) {
  const Digest digest = Add(Content(kSize), {.body = ""});
  ExpectNeverWhole(digest, UpstreamFailure::kInvalid);
  EXPECT_EQ(upstream_->blob_gets(digest), 2);
}

TEST_F(BlobFetchesTest, AnEmptyBodyWithoutASizeIsNeverWhole) {
  const Digest digest = Add(Content(kSize), {.body = "", .tells_size = false});
  ExpectNeverWhole(digest, UpstreamFailure::kInvalid);
  EXPECT_EQ(upstream_->blob_gets(digest), 2);
}

TEST_F(BlobFetchesTest, ABodyThatIsLongerThanStatedIsNeverWhole) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content, {.body = content + "more", .told_size = kSize});
  ExpectNeverWhole(digest, UpstreamFailure::kInvalid);
}

TEST_F(BlobFetchesTest, ABlobThatIsTooLargeIsNotFetched) {
  options_.blob_bytes_max = kSize - 1;
  const Digest digest = Add(Content(kSize));
  ExpectNeverWhole(digest, UpstreamFailure::kInvalid);
  EXPECT_EQ(Metric("entrepot_upstream_fetched_bytes_total"), 0);
}

TEST_F(BlobFetchesTest, ABlobWithoutASizeThatIsTooLargeIsNeverWhole) {
  options_.blob_bytes_max = kSize - 1;
  const Digest digest = Add(Content(kSize), {.tells_size = false});
  ExpectNeverWhole(digest, UpstreamFailure::kInvalid);
}

TEST_F(BlobFetchesTest, TheLastByteOfABlobWithoutASizeWaitsForItsEnd) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content, {.tells_size = false});
  upstream_->HoldAt(digest, kSize);
  ASSERT_OK_AND_ASSIGN(const auto reader, Open(digest));
  std::string read;
  ASSERT_OK(ReadUntil(*reader, kSize - 1, &read));
  ASSERT_TRUE(Eventually([&] { return upstream_->Holds(digest); }));
  char byte = 0;
  EXPECT_THAT(reader->Read(kSize - 1, &byte, 1), IsOkAndHolds(0u));
  EXPECT_EQ(reader->size_bytes(), std::nullopt);
  upstream_->Release(digest);
  ASSERT_OK(ReadUntil(*reader, UINT64_MAX, &read));
  EXPECT_TRUE(read == content);
  EXPECT_EQ(reader->size_bytes(), kSize);
}

TEST_F(BlobFetchesTest, TheLastBytesWaitUntilTheBlobIsStored) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content);
  store_.HoldCommits();
  ASSERT_OK_AND_ASSIGN(const auto reader, Open(digest));
  ASSERT_TRUE(Eventually([&] { return store_.commit_waits(); }));
  std::string read;
  ASSERT_OK(ReadUntil(*reader, kSize - kHeldBack, &read));
  char byte = 0;
  EXPECT_THAT(reader->Read(kSize - kHeldBack, &byte, 1), IsOkAndHolds(0u));
  EXPECT_FALSE(reader->stored());
  store_.AllowCommits();
  ASSERT_OK(ReadUntil(*reader, UINT64_MAX, &read));
  EXPECT_TRUE(read == content);
}

TEST_F(BlobFetchesTest, AFullStoreEndsTheFetch) {
  const Digest digest = Add(Content(kSize));
  store_.FailAppends(100'000, OciError(OciErrorCode::kUnavailable, "No space left on device"));
  EXPECT_THAT(Fetch(digest), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_EQ(upstream_->blob_gets(digest), 1);
  EXPECT_EQ(Metric("entrepot_upstream_fetch_failures_total", "kind", "store"), 1);
}

TEST_F(BlobFetchesTest, ABlobThatCannotBeCommittedIsNeverWhole) {
  const Digest digest = Add(Content(kSize));
  for (const absl::Status& failure : {OciError(OciErrorCode::kUnavailable, "No space left on device"),
                                      OciError(OciErrorCode::kDigestInvalid, "another digest")}) {
    store_.FailCommits(failure);
    const auto reader = OpenAnew(digest);
    std::string read;
    EXPECT_THAT(ReadUntil(*reader, UINT64_MAX, &read), IsOciError(OciErrorCode::kUnavailable));
    EXPECT_LE(read.size(), kSize - kHeldBack);
  }
}

TEST_F(BlobFetchesTest, NothingIsFetchedIfTheStoreFails) {
  const Digest digest = Add(Content(kSize));
  store_.FailAll(OciError(OciErrorCode::kUnavailable, "the manifest service does not respond"));
  EXPECT_THAT(Fetch(digest), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_EQ(upstream_->blob_gets(digest), 0);
}

TEST_F(BlobFetchesTest, TriesOnceMoreBeforeTheFirstByte) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content, {.failures = {Failure(UpstreamFailure::kUnavailable)}});
  EXPECT_THAT(Fetch(digest), IsOkAndHolds(content));
  EXPECT_EQ(upstream_->blob_gets(digest), 2);
}

TEST_F(BlobFetchesTest, TriesOnlyOnceMoreBeforeTheFirstByte) {
  const absl::Status failure = Failure(UpstreamFailure::kUnavailable);
  const Digest digest = Add(Content(kSize), {.failures = {failure, failure}});
  ExpectNeverWhole(digest, UpstreamFailure::kUnavailable);
  EXPECT_EQ(upstream_->blob_gets(digest), 2);
}

TEST_F(BlobFetchesTest, TakesAnAnswerThatIsFinalAtOnce) {
  uint32_t seed = 1;
  for (const absl::Status& failure :
       {Failure(UpstreamFailure::kNotFound), Failure(UpstreamFailure::kDenied), Failure(UpstreamFailure::kRateLimited),
        Failure(UpstreamFailure::kUnavailable, absl::Minutes(1)), absl::CancelledError("the upstream was removed")}) {
    SCOPED_TRACE(failure.ToString());
    const Digest digest = Add(Content(kSize, seed++), {.failures = {failure}});
    EXPECT_EQ(Fetch(digest).status(), failure);
    EXPECT_EQ(upstream_->blob_gets(digest), 1);
  }
}

TEST_F(BlobFetchesTest, AFailureIsTheAnswerToAllThatAskSoonAfter) {
  options_.failure_lifetime = absl::Minutes(5);
  const Digest digest = Add(Content(kSize), {.failures = {Failure(UpstreamFailure::kNotFound)}});
  for (int i = 0; i < 200; ++i) {
    EXPECT_EQ(FailureOf(Fetch(digest).status()), UpstreamFailure::kNotFound);
    EXPECT_EQ(FailureOf(Open(digest).status()), UpstreamFailure::kNotFound);
  }
  EXPECT_EQ(upstream_->blob_gets(digest), 1);
}

TEST_F(BlobFetchesTest, AsksAgainWhenAFailureIsForgotten) {
  options_.failure_lifetime = absl::Milliseconds(20);
  const std::string content = Content(kSize);
  const Digest digest = Add(content, {.failures = {Failure(UpstreamFailure::kNotFound)}});
  EXPECT_EQ(FailureOf(Fetch(digest).status()), UpstreamFailure::kNotFound);
  EXPECT_TRUE(Eventually([&] { return Fetch(digest).ok(); }));
  EXPECT_EQ(upstream_->blob_gets(digest), 2);
}

TEST_F(BlobFetchesTest, TwoRepositoriesWithTheBlobCauseOneFetchAtOnce) {
  const std::string content = Content(kSize);
  for (const bool tells_size : {true, false}) {
    SCOPED_TRACE(tells_size);
    const std::string blob = content + (tells_size ? "1" : "2");
    const Digest digest = Add(blob, {.tells_size = tells_size});
    upstream_->AddBlob("library/debian", blob);
    const CachedRepository debian = Cached("library/debian");
    upstream_->HoldAt(digest, 100'000);
    ASSERT_OK_AND_ASSIGN(const auto of_nginx, Open(digest));
    ASSERT_TRUE(Eventually([&] { return upstream_->Holds(digest); }));
    ASSERT_OK_AND_ASSIGN(const auto of_debian, fetches().Open(upstream_, debian, digest, ""));
    std::string read;
    ASSERT_OK(ReadUntil(*of_debian, 99'000, &read));
    upstream_->Release(digest);
    EXPECT_THAT(ReadAll(*of_nginx), IsOkAndHolds(blob));
    ASSERT_OK(ReadUntil(*of_debian, UINT64_MAX, &read));
    EXPECT_TRUE(read == blob);
    EXPECT_EQ(upstream_->blob_gets(digest), 1);
    EXPECT_EQ(store_.BlobOf(nginx_.repository, digest), blob);
    EXPECT_EQ(store_.BlobOf(debian.repository, digest), blob);
  }
  EXPECT_EQ(Metric("entrepot_upstream_fetched_bytes_total"), 2 * (kSize + 1));
}

TEST_F(BlobFetchesTest, AnotherUpstreamGetsNothingOfAFetch) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content);
  const auto other = std::make_shared<FakeUpstreamRegistry>();
  other->AddBlob("app", content);
  other->SetScript(digest, {.body = Content(kSize, 2)});
  upstream_->HoldAt(digest, 100'000);
  ASSERT_OK(Open(digest));
  ASSERT_TRUE(Eventually([&] { return upstream_->Holds(digest); }));
  ASSERT_OK_AND_ASSIGN(const auto reader, fetches().Open(other, Cached("app", "quay.io"), digest, ""));
  EXPECT_EQ(FailureOf(ReadAll(*reader).status()), UpstreamFailure::kInvalid);
  EXPECT_EQ(other->blob_gets(digest), 1);
}

TEST_F(BlobFetchesTest, ARepositoryGoesOnWithoutTheOthersFetchIfThatFails) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content, {.cuts = {100'000, 100'000, 100'000}});
  upstream_->AddBlob("library/debian", content);
  upstream_->HoldAt(digest, 100'000);
  ASSERT_OK_AND_ASSIGN(const auto of_nginx, Open(digest));
  ASSERT_TRUE(Eventually([&] { return upstream_->Holds(digest); }));
  ASSERT_OK_AND_ASSIGN(const auto of_debian, fetches().Open(upstream_, Cached("library/debian"), digest, ""));
  std::string read;
  ASSERT_OK(ReadUntil(*of_debian, 100'000, &read));
  upstream_->Release(digest);
  EXPECT_EQ(FailureOf(ReadAll(*of_nginx).status()), UpstreamFailure::kUnavailable);
  ASSERT_OK(ReadUntil(*of_debian, UINT64_MAX, &read));
  EXPECT_TRUE(read == content);
  EXPECT_THAT(upstream_->BlobReads(digest), ElementsAre(0, 100'000, 100'000, 100'000));
}

TEST_F(BlobFetchesTest, StopEndsAFetchThatFollowsAnother) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content);
  upstream_->AddBlob("library/debian", content);
  upstream_->HoldAt(digest, 100'000);
  ASSERT_OK_AND_ASSIGN(const auto of_nginx, Open(digest));
  ASSERT_TRUE(Eventually([&] { return upstream_->Holds(digest); }));
  ASSERT_OK_AND_ASSIGN(const auto of_debian, fetches().Open(upstream_, Cached("library/debian"), digest, ""));
  std::string read;
  ASSERT_OK(ReadUntil(*of_debian, 100'000, &read));
  fetches_.reset();
  EXPECT_THAT(of_debian->status(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_EQ(store_.commits(), 0);
}

TEST_F(BlobFetchesTest, ARepositoryWithoutTheBlobGetsNothingOfAnothersFetch) {
  const Digest digest = Add(Content(kSize));
  upstream_->HoldAt(digest, 100'000);
  ASSERT_OK_AND_ASSIGN(const auto of_nginx, Open(digest));
  ASSERT_TRUE(Eventually([&] { return upstream_->Holds(digest); }));
  ASSERT_OK_AND_ASSIGN(const auto of_secret, fetches().Open(upstream_, Cached("team/secret"), digest, ""));
  EXPECT_EQ(FailureOf(ReadAll(*of_secret).status()), UpstreamFailure::kNotFound);
  upstream_->Release(digest);
  EXPECT_OK(ReadAll(*of_nginx));
}

TEST_F(BlobFetchesTest, AnUpstreamGetsHalfOfThePlaces) {
  options_.fetches_max = 4;
  const auto other = std::make_shared<FakeUpstreamRegistry>();
  const std::string theirs = Content(kSize);
  const Digest their_digest = other->AddBlob("app", theirs);
  std::vector<Digest> digests;
  std::vector<std::unique_ptr<FetchReader>> readers;
  for (uint32_t i = 0; i < 8; ++i) {
    digests.push_back(Add(Content(kSize, 100 + i)));
    upstream_->HoldAt(digests.back(), 1000);
    ASSERT_OK_AND_ASSIGN(auto reader, Open(digests.back()));
    readers.push_back(std::move(reader));
  }
  ASSERT_OK_AND_ASSIGN(const auto theirs_reader, fetches().Open(other, Cached("app", "quay.io"), their_digest, ""));
  EXPECT_THAT(ReadAll(*theirs_reader), IsOkAndHolds(theirs));
  EXPECT_TRUE(Eventually([&] { return upstream_->blob_gets_at_once() == 2; }));
  for (const Digest& digest : digests) upstream_->Release(digest);
  for (const auto& reader : readers) EXPECT_OK(ReadAll(*reader));
  EXPECT_EQ(upstream_->blob_gets_at_once(), 2);
}

TEST_F(BlobFetchesTest, RefusesMoreFetchesThanMayWait) {
  options_.fetches_max = 2;
  options_.fetches_waiting_max = 4;
  const auto other = std::make_shared<FakeUpstreamRegistry>();
  const auto open_other = [&](uint32_t i) {
    const Digest digest = other->AddBlob("app", Content(kSize, 200 + i));
    other->HoldAt(digest, 1000);
    return fetches().Open(other, Cached("app", "quay.io"), digest, "");
  };
  std::vector<std::unique_ptr<FetchReader>> readers;
  for (uint32_t i = 0; i < 2; ++i) {
    const Digest digest = Add(Content(kSize, 100 + i));
    upstream_->HoldAt(digest, 1000);
    ASSERT_OK_AND_ASSIGN(auto reader, Open(digest));
    readers.push_back(std::move(reader));
  }
  const auto refused = Open(Add(Content(kSize)));
  EXPECT_THAT(refused, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("of the upstream docker.io"));
  EXPECT_NE(GetRetryAfter(refused.status()), std::nullopt);
  for (uint32_t i = 0; i < 2; ++i) {
    ASSERT_OK_AND_ASSIGN(auto reader, open_other(i));
    readers.push_back(std::move(reader));
  }
  EXPECT_THAT(std::string(open_other(2).status().message()), HasSubstr("of upstreams are fetched or wait as may (4, "));
  EXPECT_OK(Open(upstream_->AddBlob("library/nginx", Content(kSize, 100))));  // Joins the first.
}

TEST_F(BlobFetchesTest, AClientGetsAQuarterOfThePlaces) {
  options_.fetches_max = 2;
  options_.fetches_waiting_max = 8;
  const auto open_held = [&](uint32_t i, const std::string& client) {
    const Digest digest = Add(Content(kSize, 100 + i));
    upstream_->HoldAt(digest, 1000);
    return fetches().Open(upstream_, nginx_, digest, client);
  };
  ASSERT_OK_AND_ASSIGN(const auto first, open_held(0, "account greedy"));
  ASSERT_OK_AND_ASSIGN(const auto second, open_held(1, "account greedy"));
  const auto refused = open_held(2, "account greedy");
  EXPECT_THAT(refused, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(std::string(refused.status().message()), HasSubstr("for this account or address as may (2, "));
  EXPECT_OK(open_held(1, "account greedy"));  // Joins the second.
  EXPECT_OK(open_held(3, "network 192.0.2.1"));
  EXPECT_OK(open_held(4, ""));
}

TEST_F(BlobFetchesTest, TheNextPlaceIsForTheClientWithFewestRunning) {
  options_.fetches_max = 4;  // One upstream gets two.
  std::vector<Digest> digests;
  std::vector<std::unique_ptr<FetchReader>> readers;
  const auto open_held = [&](const std::string& client) {
    digests.push_back(Add(Content(kSize, 100 + static_cast<uint32_t>(digests.size()))));
    upstream_->HoldAt(digests.back(), 1000);
    auto reader = fetches().Open(upstream_, nginx_, digests.back(), client);
    EXPECT_OK(reader);
    readers.push_back(*std::move(reader));
  };
  for (int i = 0; i < 4; ++i) open_held("account greedy");
  EXPECT_TRUE(Eventually([&] { return upstream_->blob_gets_at_once() == 2; }));
  open_held("network 192.0.2.1");
  // A place becomes free: greedy still has one, the other client has none.
  upstream_->Release(digests[0]);
  EXPECT_OK(ReadAll(*readers[0]));
  upstream_->Release(digests[4]);
  EXPECT_OK(ReadAll(*readers[4]));
  for (size_t i = 1; i < 4; ++i) upstream_->Release(digests[i]);
  for (size_t i = 1; i < 4; ++i) EXPECT_OK(ReadAll(*readers[i]));
}

TEST_F(BlobFetchesTest, StopEndsFetchesThatRunAndThatWait) {
  options_.fetches_max = 2;
  const Digest running = Add(Content(kSize));
  upstream_->HoldAt(running, 100'000);
  ASSERT_OK_AND_ASSIGN(const auto reader_of_running, Open(running));
  ASSERT_TRUE(Eventually([&] { return upstream_->Holds(running); }));
  ASSERT_OK_AND_ASSIGN(const auto reader_of_waiting, Open(Add(Content(kSize, 2))));
  const auto called = std::make_shared<absl::Notification>();
  reader_of_waiting->WhenReadable(0, [called] { called->Notify(); });
  const Stopwatch stopwatch;
  fetches().Stop();
  EXPECT_TRUE(called->HasBeenNotified());
  EXPECT_THAT(reader_of_running->status(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(reader_of_waiting->status(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_THAT(Open(running), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_TRUE(upstream_->stopped());
  fetches_.reset();
  EXPECT_LT(stopwatch.Elapsed(), absl::Seconds(10));
  EXPECT_EQ(store_.commits(), 0);
  EXPECT_EQ(Metric("entrepot_upstream_fetch_failures_total"), 0);
}

TEST_F(BlobFetchesTest, StopEndsTheWaitBeforeAResumption) {
  options_.resumption_pause = absl::Hours(1);
  const Digest digest = Add(Content(kSize), {.cuts = {100'000}});
  ASSERT_OK_AND_ASSIGN(const auto reader, Open(digest));
  std::string read;
  ASSERT_OK(ReadUntil(*reader, 100'000, &read));
  const Stopwatch stopwatch;
  fetches_.reset();
  EXPECT_LT(stopwatch.Elapsed(), absl::Seconds(2));
  EXPECT_THAT(reader->status(), StatusIs(absl::StatusCode::kCancelled));
}

// Several upstream services over one store.
class SharedStoreTest : public BlobFetchesTest {
 protected:
  SharedStoreTest() { options_.holder = "this"; }

  // Another upstream service.
  std::unique_ptr<BlobFetches> OtherService() {
    BlobFetches::Options options = options_;
    options.spool_directory = directory_.path() + "/other";
    options.holder = "other";
    options.registry = nullptr;
    return BlobFetches::Create(&store_, options).value();
  }
  // What another upstream service does that fetches the blob.
  void ClaimElsewhere(const Digest& digest) {
    ASSERT_THAT(store_.ClaimFetch(
                    {.upstream = "docker.io", .digest = digest, .holder = "other", .lifetime = absl::Seconds(10)}),
                IsOkAndHolds(true));
  }
  bool Awaits(int fetches = 1) {
    return Eventually([&] { return Metric("entrepot_upstream_awaited_fetches_total") == fetches; });
  }
  static bool IsStored(FetchReader& reader) {
    return Eventually([&] { return reader.stored(); });
  }
};

TEST_F(SharedStoreTest, OneOfTwoServicesFetches) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content);
  upstream_->HoldAt(digest, 100'000);
  const std::unique_ptr<BlobFetches> other = OtherService();
  ASSERT_OK_AND_ASSIGN(const auto theirs, other->Open(upstream_, nginx_, digest, ""));
  ASSERT_TRUE(Eventually([&] { return upstream_->Holds(digest); }));
  ASSERT_OK_AND_ASSIGN(const auto ours, Open(digest));
  ASSERT_TRUE(Awaits());
  EXPECT_FALSE(ours->stored());
  upstream_->Release(digest);
  EXPECT_THAT(ReadAll(*theirs), IsOkAndHolds(content));
  EXPECT_TRUE(IsStored(*ours));
  EXPECT_EQ(ours->size_bytes(), kSize);
  char byte = 0;
  EXPECT_THAT(ours->Read(0, &byte, 1), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_EQ(upstream_->blob_gets(digest), 1);
  EXPECT_TRUE(Eventually([&] { return store_.ClaimHolder("docker.io", digest).empty(); }));
}

TEST_F(SharedStoreTest, TakesOverWhenTheOtherHasDied) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content);
  ClaimElsewhere(digest);
  ASSERT_OK_AND_ASSIGN(const auto reader, Open(digest));
  ASSERT_TRUE(Awaits());
  EXPECT_EQ(upstream_->blob_gets(digest), 0);
  store_.EndClaims();
  EXPECT_THAT(ReadAll(*reader), IsOkAndHolds(content));
  EXPECT_EQ(upstream_->blob_gets(digest), 1);
}

TEST_F(SharedStoreTest, TakesOverWhenTheOtherFails) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content, {.cuts = {100'000, 100'000, 100'000}});
  upstream_->HoldAt(digest, 100'000);
  const std::unique_ptr<BlobFetches> other = OtherService();
  ASSERT_OK_AND_ASSIGN(const auto theirs, other->Open(upstream_, nginx_, digest, ""));
  ASSERT_TRUE(Eventually([&] { return upstream_->Holds(digest); }));
  ASSERT_OK_AND_ASSIGN(const auto ours, Open(digest));
  ASSERT_TRUE(Awaits());
  upstream_->Release(digest);
  EXPECT_EQ(FailureOf(ReadAll(*theirs).status()), UpstreamFailure::kUnavailable);
  EXPECT_THAT(ReadAll(*ours), IsOkAndHolds(content));
}

TEST_F(SharedStoreTest, KeepsTheClaimWhileItFetches) {
  options_.claim_lifetime = absl::Milliseconds(10);
  const Digest digest = Add(Content(kSize));
  upstream_->HoldAt(digest, 100'000);
  ASSERT_OK_AND_ASSIGN(const auto reader, Open(digest));
  ASSERT_TRUE(Eventually([&] { return upstream_->Holds(digest); }));
  const int calls = store_.claim_calls("this");
  EXPECT_TRUE(Eventually([&] { return store_.claim_calls("this") >= calls + 3; }));
  upstream_->Release(digest);
  EXPECT_OK(ReadAll(*reader));
}

TEST_F(SharedStoreTest, RepositoriesOfAnUpstreamShareAClaim) {
  const std::string content = Content(kSize);
  const Digest digest = Add(content);
  upstream_->AddBlob("library/debian", content);
  ClaimElsewhere(digest);
  ASSERT_OK_AND_ASSIGN(const auto of_debian, fetches().Open(upstream_, Cached("library/debian"), digest, ""));
  ASSERT_TRUE(Awaits());
  // The other has fetched it for its own repository, and nothing links it to this one.
  store_.AddBlob(nginx_.repository, content);
  store_.EndClaims();
  EXPECT_THAT(ReadAll(*of_debian), IsOkAndHolds(content));
}

TEST_F(SharedStoreTest, AFetchThatAwaitsAnotherHasNoPlace) {
  options_.fetches_max = 2;  // One for each upstream.
  std::vector<std::unique_ptr<FetchReader>> readers;
  for (uint32_t i = 0; i < 5; ++i) {
    const Digest digest = Add(Content(kSize, 100 + i));
    ClaimElsewhere(digest);
    ASSERT_OK_AND_ASSIGN(auto reader, Open(digest));
    readers.push_back(std::move(reader));
  }
  ASSERT_TRUE(Awaits(5));
  const std::string content = Content(kSize);
  EXPECT_THAT(Fetch(Add(content)), IsOkAndHolds(content));
  // The reader may see the end of the fetch before the metric shows it.
  EXPECT_TRUE(Eventually([&] { return Metric("entrepot_upstream_fetches") == 5; }));
}

TEST_F(SharedStoreTest, LooksIntoTheStoreAlsoWhileAllPlacesAreTaken) {
  options_.fetches_max = 2;
  const std::string awaited = Content(kSize);
  const Digest digest = Add(awaited);
  ClaimElsewhere(digest);
  ASSERT_OK_AND_ASSIGN(const auto reader, Open(digest));
  ASSERT_TRUE(Awaits());
  // One hangs in each upstream.
  const Digest ours = Add(Content(kSize, 2));
  upstream_->HoldAt(ours, 1000);
  ASSERT_OK(Open(ours));
  const auto other = std::make_shared<FakeUpstreamRegistry>();
  const Digest theirs = other->AddBlob("app", Content(kSize, 3));
  other->HoldAt(theirs, 1000);
  ASSERT_OK(fetches().Open(other, Cached("app", "quay.io"), theirs, ""));
  ASSERT_TRUE(Eventually([&] { return upstream_->Holds(ours) && other->Holds(theirs); }));
  store_.AddBlob(nginx_.repository, awaited);
  EXPECT_TRUE(IsStored(*reader));
  EXPECT_EQ(upstream_->blob_gets(digest), 0);
}

TEST_F(SharedStoreTest, StopEndsAFetchThatAwaitsAnother) {
  const Digest digest = Add(Content(kSize));
  ClaimElsewhere(digest);
  ASSERT_OK_AND_ASSIGN(const auto reader, Open(digest));
  ASSERT_TRUE(Awaits());
  const Stopwatch stopwatch;
  fetches_.reset();
  EXPECT_THAT(reader->status(), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_LT(stopwatch.Elapsed(), absl::Seconds(10));
}

TEST_F(SharedStoreTest, AFetchThatAwaitsAnotherEndsIfTheStoreFails) {
  const Digest digest = Add(Content(kSize));
  ClaimElsewhere(digest);
  ASSERT_OK_AND_ASSIGN(const auto reader, Open(digest));
  ASSERT_TRUE(Awaits());
  store_.FailAll(OciError(OciErrorCode::kUnavailable, "the manifest service does not respond"));
  EXPECT_THAT(ReadAll(*reader), IsOciError(OciErrorCode::kUnavailable));
}

TEST_F(SharedStoreTest, AwaitingFetchesCountAsWaiting) {
  options_.fetches_waiting_max = 4;  // Half of it for one upstream.
  for (uint32_t i = 0; i < 2; ++i) {
    const Digest digest = Add(Content(kSize, 100 + i));
    ClaimElsewhere(digest);
    ASSERT_OK(Open(digest));
  }
  ASSERT_TRUE(Awaits(2));
  EXPECT_THAT(Open(Add(Content(kSize))), IsOciError(OciErrorCode::kUnavailable));
}

TEST_F(BlobFetchesTest, CreateNeedsADirectory) {
  options_.spool_directory = "/dev/null/spool";
  EXPECT_THAT(BlobFetches::Create(&store_, options_), StatusIs(absl::StatusCode::kUnavailable));
}

// A reader far ahead of the fetch does not wait for it, and what is stored is what the fetch has brought.
TEST_F(BlobFetchesTest, AReaderFarAheadHasARequestOfItsOwn) {
  const std::string content = Content(4 << 20);
  const Digest digest = Add(content);
  constexpr uint64_t kFar = 3 << 20;
  upstream_->HoldAt(digest, 100'000);
  ASSERT_OK_AND_ASSIGN(const auto reader, Open(digest));
  ASSERT_EQ(AwaitSize(*reader), content.size());
  std::string bytes(1000, ' ');
  ASSERT_TRUE(Await([&](auto ready) { reader->WhenReadable(kFar, std::move(ready)); }));
  ASSERT_THAT(reader->Read(kFar, bytes.data(), bytes.size()), IsOkAndHolds(1000u));
  EXPECT_EQ(bytes, content.substr(kFar, 1000));
  EXPECT_THAT(upstream_->BlobReads(digest), ElementsAre(0, kFar));
  EXPECT_EQ(Stored(digest), std::nullopt);
  upstream_->Release(digest);
  ASSERT_OK_AND_ASSIGN(const auto other, Open(digest));
  EXPECT_THAT(ReadAll(*other), IsOkAndHolds(content));
  EXPECT_EQ(Stored(digest), content);
}

}  // namespace
}  // namespace entrepot::upstream
