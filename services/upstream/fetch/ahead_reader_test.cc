#include "services/upstream/fetch/ahead_reader.h"

#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"
#include "services/upstream/fetch/spool_file.h"
#include "services/upstream/testing/fake_upstream_registry.h"

namespace entrepot::upstream {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr size_t kSize = 4 << 20;
constexpr size_t kFar = 2 << 20;
constexpr size_t kEnd = kSize - FetchProgress::kHeldBackBytes;

class AheadReaderTest : public ::testing::Test {
 protected:
  AheadReaderTest() {
    auto spool = SpoolFile::Create(directory_.path());
    EXPECT_OK(spool);
    spool_ = spool->get();
    progress_->SetSpool(*std::move(spool));
    progress_->SetSize(kSize);
  }
  ~AheadReaderTest() override {
    upstream_->Stop();
    reader_.reset();
    for (std::thread& thread : threads_) thread.join();
  }

  // The fetch has come to that byte.
  void FetchTo(size_t offset) {
    ASSERT_OK(spool_->Append(absl::string_view(content_).substr(spool_->size_bytes(), offset - spool_->size_bytes())));
    progress_->Publish(spool_->size_bytes());
  }

  std::shared_ptr<RangeRequest> StartRange(uint64_t offset, uint64_t end) {
    if (refuses_) return nullptr;
    auto request = std::make_shared<RangeRequest>(RangeRequest::Range{.upstream = upstream_,
                                                                      .name_at_upstream = "team/app",
                                                                      .digest = digest_,
                                                                      .offset_bytes = offset,
                                                                      .end_bytes = end});
    threads_.emplace_back([request] { request->Run(); });
    return request;
  }

  // Waits for the bytes at the offset and reads them; up to `size`.
  absl::StatusOr<std::string> Read(uint64_t offset, size_t size) {
    const auto ready = std::make_shared<std::atomic<bool>>(false);
    reader_->WhenReadable(offset, [ready] { *ready = true; });
    if (!Eventually([&] { return ready->load(); })) return absl::DeadlineExceededError("the reader was not called");
    std::string bytes(size, ' ');
    const absl::StatusOr<size_t> count = reader_->Read(offset, bytes.data(), bytes.size());
    if (!count.ok()) return count.status();
    bytes.resize(*count);
    return bytes;
  }
  absl::StatusOr<std::string> ReadTo(uint64_t offset, uint64_t end) {
    std::string all;
    while (offset + all.size() < end) {
      absl::StatusOr<std::string> bytes = Read(offset + all.size(), end - offset - all.size());
      if (!bytes.ok() || bytes->empty()) return bytes;
      all += *bytes;
    }
    return all;
  }

  kv::TemporaryDirectory directory_;
  const std::string content_ = [] {
    std::string bytes(kSize, ' ');
    for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>((i * 2654435761u) >> 13);
    return bytes;
  }();
  const std::shared_ptr<FakeUpstreamRegistry> upstream_ = std::make_shared<FakeUpstreamRegistry>();
  const Digest digest_ = upstream_->AddBlob("team/app", content_);
  const std::shared_ptr<FetchProgress> progress_ = std::make_shared<FetchProgress>();
  SpoolFile* spool_ = nullptr;
  bool refuses_ = false;
  std::vector<std::thread> threads_;
  std::unique_ptr<FetchReader> reader_ =
      NewAheadReader(progress_, [this](uint64_t offset, uint64_t end) { return StartRange(offset, end); });
};

TEST_F(AheadReaderTest, AsksTheUpstreamForWhatIsFarAhead) {
  FetchTo(1000);
  const absl::StatusOr<std::string> bytes = ReadTo(kFar, kEnd);
  ASSERT_OK(bytes);
  EXPECT_TRUE(*bytes == content_.substr(kFar, kEnd - kFar));
  EXPECT_THAT(upstream_->BlobReads(digest_), ElementsAre(kFar));
  // What the fetch has is read from it meanwhile.
  EXPECT_EQ(reader_->size_bytes(), kSize);
}

TEST_F(AheadReaderTest, WaitsForTheFetchIfItIsNear) {
  FetchTo(kFar);
  std::atomic<bool> ready = false;
  reader_->WhenReadable(kFar + 1000, [&] { ready = true; });
  EXPECT_FALSE(ready);
  FetchTo(kFar + 2000);
  EXPECT_TRUE(ready);
  EXPECT_THAT(upstream_->BlobReads(digest_), IsEmpty());
}

TEST_F(AheadReaderTest, TheLastBytesComeFromTheFetchOnly) {
  ASSERT_OK(ReadTo(kFar, kEnd));
  std::atomic<bool> ready = false;
  reader_->WhenReadable(kEnd, [&] { ready = true; });
  char byte = 0;
  EXPECT_THAT(reader_->Read(kEnd, &byte, 1), IsOkAndHolds(0u));
  FetchTo(kSize);
  EXPECT_FALSE(ready);
  progress_->EndStored(kSize);
  EXPECT_TRUE(ready);
  EXPECT_THAT(ReadTo(kEnd, kSize), IsOkAndHolds(content_.substr(kEnd)));
}

TEST_F(AheadReaderTest, GoesOnWithTheFetchOnceThatHasCaughtUp) {
  ASSERT_OK(ReadTo(kFar, kFar + 1000));
  FetchTo(kFar + 500'000);
  EXPECT_THAT(ReadTo(kFar + 1000, kFar + 500'000), IsOkAndHolds(content_.substr(kFar + 1000, 499'000)));
  // The second request has ended.
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  EXPECT_EQ(upstream_->blob_gets(digest_), 1);
}

TEST_F(AheadReaderTest, WaitsForTheFetchIfTheRequestFails) {
  upstream_->SetScript(digest_, {.cuts = {kFar + 100'000}});
  EXPECT_THAT(ReadTo(kFar, kFar + 100'000), IsOkAndHolds(content_.substr(kFar, 100'000)));
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  std::atomic<bool> ready = false;
  reader_->WhenReadable(kFar + 100'000, [&] { ready = true; });
  EXPECT_FALSE(ready);
  FetchTo(kFar + 200'000);
  EXPECT_TRUE(ready);
  EXPECT_THAT(ReadTo(kFar + 100'000, kFar + 200'000), IsOkAndHolds(content_.substr(kFar + 100'000, 100'000)));
  EXPECT_EQ(upstream_->blob_gets(digest_), 1);
}

TEST_F(AheadReaderTest, WaitsForTheFetchIfThereIsNoPlaceForARequest) {
  refuses_ = true;
  std::atomic<bool> ready = false;
  reader_->WhenReadable(kFar, [&] { ready = true; });
  EXPECT_FALSE(ready);
  FetchTo(kFar + 1);
  EXPECT_TRUE(ready);
}

TEST_F(AheadReaderTest, EndsWithTheErrorOfTheFetch) {
  upstream_->HoldAt(digest_, kFar);
  std::atomic<bool> ready = false;
  reader_->WhenReadable(kFar, [&] { ready = true; });
  ASSERT_TRUE(Eventually([&] { return upstream_->Holds(digest_); }));
  EXPECT_FALSE(ready);
  progress_->EndFailed(absl::UnavailableError("the digest is wrong"));
  EXPECT_TRUE(ready);
  char byte = 0;
  EXPECT_THAT(reader_->Read(kFar, &byte, 1).status(), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(AheadReaderTest, ACallbackMayDestroyTheReader) {
  std::atomic<bool> destroyed = false;
  reader_->WhenReadable(kFar, [&] {
    reader_.reset();
    destroyed = true;
  });
  EXPECT_TRUE(Eventually([&] { return destroyed.load(); }));
}

}  // namespace
}  // namespace entrepot::upstream
