#include "services/upstream/fetch/fetch_progress.h"

#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::upstream {
namespace {

using ::testing::ElementsAre;

class FetchProgressTest : public ::testing::Test {
 protected:
  FetchProgressTest() {
    auto spool = SpoolFile::Create(directory_.path());
    EXPECT_OK(spool);
    spool_ = spool->get();
    progress_->SetSpool(*std::move(spool));
  }

  void Append(const std::string& bytes) {
    ASSERT_OK(spool_->Append(bytes));
    progress_->Publish(spool_->size_bytes());
  }

  static absl::StatusOr<std::string> Read(FetchReader& reader, uint64_t offset_bytes, size_t size = 1 << 20) {
    std::string bytes(size, ' ');
    const auto count = reader.Read(offset_bytes, bytes.data(), bytes.size());
    if (!count.ok()) return count.status();
    bytes.resize(*count);
    return bytes;
  }

  kv::TemporaryDirectory directory_;
  std::shared_ptr<FetchProgress> progress_ = std::make_shared<FetchProgress>();
  SpoolFile* spool_ = nullptr;
};

TEST_F(FetchProgressTest, HoldsBackTheLastByteOfABlobOfUnknownSize) {
  const auto reader = progress_->NewReader();
  EXPECT_THAT(Read(*reader, 0), IsOkAndHolds(""));
  Append("abc");
  EXPECT_EQ(reader->size_bytes(), std::nullopt);
  EXPECT_THAT(Read(*reader, 0), IsOkAndHolds("ab"));
  EXPECT_THAT(Read(*reader, 1), IsOkAndHolds("b"));
  EXPECT_THAT(Read(*reader, 2), IsOkAndHolds(""));
  EXPECT_THAT(Read(*reader, 9), IsOkAndHolds(""));
  progress_->EndStored(3);
  EXPECT_EQ(reader->size_bytes(), 3u);
  EXPECT_THAT(Read(*reader, 2), IsOkAndHolds("c"));
  EXPECT_THAT(Read(*reader, 3), IsOkAndHolds(""));
}

TEST_F(FetchProgressTest, HoldsBackTheLast64KiBOfABlobOfKnownSize) {
  const std::string bytes(FetchProgress::kHeldBackBytes, 'x');
  progress_->SetSize(bytes.size() + 10);
  const auto reader = progress_->NewReader();
  Append("0123456789");
  EXPECT_THAT(Read(*reader, 0), IsOkAndHolds("0123456789"));
  Append(bytes);
  EXPECT_THAT(Read(*reader, 10), IsOkAndHolds(""));
  progress_->EndStored(bytes.size() + 10);
  EXPECT_THAT(Read(*reader, 10), IsOkAndHolds(bytes));
}

TEST_F(FetchProgressTest, TheSizeAndTheFirstBytesAreThereAtOnce) {
  const auto reader = progress_->NewReader();
  std::vector<uint64_t> seen;
  reader->WhenSizeKnown([&] { seen.push_back(progress_->position().readable_bytes); });
  const std::string bytes = "0123456789" + std::string(FetchProgress::kHeldBackBytes, 'x');
  ASSERT_OK(spool_->Append(bytes));
  progress_->Publish(bytes.size(), bytes.size());
  EXPECT_THAT(seen, ElementsAre(10u));
  EXPECT_EQ(reader->size_bytes(), bytes.size());
}

TEST_F(FetchProgressTest, GivesWhatIsReadableAsAFile) {
  const std::string bytes = "0123456789" + std::string(FetchProgress::kHeldBackBytes, 'x');
  progress_->SetSize(bytes.size());
  auto reader = progress_->NewReader();
  EXPECT_FALSE(reader->ReadableFile(0)->has_value());
  Append(bytes);
  ASSERT_OK_AND_ASSIGN(std::optional<FilePart> part, reader->ReadableFile(4));
  ASSERT_TRUE(part.has_value());
  EXPECT_EQ(part->length_bytes, 6u);
  EXPECT_FALSE(reader->ReadableFile(10)->has_value());
  progress_->EndStored(bytes.size());
  EXPECT_EQ((*reader->ReadableFile(10))->length_bytes, FetchProgress::kHeldBackBytes);
  EXPECT_FALSE(reader->ReadableFile(bytes.size())->has_value());
  // Its bytes outlive the fetch.
  reader.reset();
  progress_.reset();
  std::string read(6, ' ');
  EXPECT_EQ(pread(part->file.get(), read.data(), read.size(), 4), 6);
  EXPECT_EQ(read, "456789");
}

TEST_F(FetchProgressTest, GivesNoFileAfterAFailure) {
  const auto reader = progress_->NewReader();
  Append("abc");
  progress_->EndFailed(absl::DataLossError("wrong"));
  EXPECT_THAT(reader->ReadableFile(0).status(), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(FetchProgressTest, ReadsNothingAfterAFailure) {
  const auto reader = progress_->NewReader();
  Append("abc");
  progress_->EndFailed(absl::DataLossError("wrong"));
  EXPECT_THAT(Read(*reader, 0), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(reader->status(), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_FALSE(reader->stored());
}

TEST_F(FetchProgressTest, OnlyTheFirstEndCounts) {
  const auto reader = progress_->NewReader();
  Append("abc");
  progress_->EndFailed(absl::CancelledError("stopping"));
  progress_->EndStored(3);
  progress_->Publish(3);
  EXPECT_FALSE(progress_->stored());
  EXPECT_THAT(Read(*reader, 0), StatusIs(absl::StatusCode::kCancelled));
}

TEST_F(FetchProgressTest, ABlobThatIsStoredWithoutAFetchCannotBeRead) {
  const auto reader = progress_->NewReader();
  progress_->EndStored(3);
  EXPECT_TRUE(reader->stored());
  EXPECT_EQ(reader->size_bytes(), 3u);
  EXPECT_THAT(Read(*reader, 0), StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(Read(*reader, 3), IsOkAndHolds(""));
}

TEST_F(FetchProgressTest, CallsReadersInTheOrderOfTheirOffsetsOnceTheirByteIsReadable) {
  std::vector<int> called;
  const auto first = progress_->NewReader();
  const auto second = progress_->NewReader();
  const auto third = progress_->NewReader();
  third->WhenReadable(4, [&] { called.push_back(4); });
  second->WhenReadable(2, [&] { called.push_back(2); });
  first->WhenReadable(0, [&] { called.push_back(0); });
  EXPECT_THAT(called, ElementsAre());
  Append("abcd");  // Three are readable.
  EXPECT_THAT(called, ElementsAre(0, 2));
  Append("ef");
  EXPECT_THAT(called, ElementsAre(0, 2, 4));
}

TEST_F(FetchProgressTest, CallsAtOnceIfBytesAreReadable) {
  const auto reader = progress_->NewReader();
  Append("abcd");
  bool called = false;
  reader->WhenReadable(2, [&] { called = true; });
  EXPECT_TRUE(called);
}

TEST_F(FetchProgressTest, TheEndCallsAllReaders) {
  int called = 0;
  const auto first = progress_->NewReader();
  const auto second = progress_->NewReader();
  first->WhenReadable(1000, [&] { ++called; });
  second->WhenSizeKnown([&] { ++called; });
  progress_->EndFailed(absl::UnavailableError("gone"));
  EXPECT_EQ(called, 2);
  second->WhenReadable(1000, [&] { ++called; });
  first->WhenSizeKnown([&] { ++called; });
  EXPECT_EQ(called, 4);
}

TEST_F(FetchProgressTest, CallsOnceWhenTheSizeIsKnown) {
  int called = 0;
  const auto reader = progress_->NewReader();
  reader->WhenSizeKnown([&] { ++called; });
  progress_->SetSize(100);
  progress_->EndStored(100);
  EXPECT_EQ(called, 1);
  EXPECT_EQ(reader->size_bytes(), 100u);
}

TEST_F(FetchProgressTest, ASecondCallbackReplacesTheFirst) {
  std::string called;
  const auto reader = progress_->NewReader();
  reader->WhenReadable(0, [&] { called += "a"; });
  reader->WhenReadable(1, [&] { called += "b"; });
  reader->WhenSizeKnown([&] { called += "c"; });
  reader->WhenSizeKnown([&] { called += "d"; });
  progress_->SetSize(2);
  progress_->EndStored(2);
  EXPECT_EQ(called, "db");
}

TEST_F(FetchProgressTest, DoesNotCallForADestroyedReader) {
  bool called = false;
  auto reader = progress_->NewReader();
  reader->WhenReadable(0, [&] { called = true; });
  reader->WhenSizeKnown([&] { called = true; });
  reader.reset();
  progress_->EndStored(0);
  EXPECT_FALSE(called);
}

TEST_F(FetchProgressTest, ACallbackMayAskAgainAndDestroyItsReader) {
  auto reader = progress_->NewReader();
  int called = 0;
  reader->WhenReadable(0, [&] {
    ++called;
    reader->WhenReadable(3, [&] {
      ++called;
      reader.reset();
    });
  });
  Append("ab");
  EXPECT_EQ(called, 1);
  Append("cde");
  EXPECT_EQ(called, 2);
  EXPECT_EQ(reader, nullptr);
}

TEST_F(FetchProgressTest, ReadersFollowOnTheirThreads) {
  constexpr size_t kSize = 300'000;
  std::vector<std::thread> threads;
  std::vector<std::string> read(4);
  for (std::string& bytes : read) {
    threads.emplace_back([reader = std::shared_ptr<FetchReader>(progress_->NewReader()), &bytes] {
      Eventually([&] {
        const auto more = Read(*reader, bytes.size(), 7000);
        if (!more.ok()) return true;
        bytes += *more;
        return bytes.size() == kSize;
      });
    });
  }
  std::string all;
  while (all.size() < kSize) {
    const std::string piece(1000, static_cast<char>('a' + all.size() / 1000 % 26));
    all += piece;
    Append(piece);
  }
  progress_->EndStored(kSize);
  for (std::thread& thread : threads) thread.join();
  for (const std::string& bytes : read) EXPECT_TRUE(bytes == all);
}

}  // namespace
}  // namespace entrepot::upstream
