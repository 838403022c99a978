#include "services/blob/objects/shared_hash.h"

#include <algorithm>
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include "gtest/gtest.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

class SharedHashTest : public testing::Test {
 protected:
  static constexpr size_t kSize = 3 << 20;
  static constexpr size_t kPiece = 100'000;

  SharedHash MakeHash(const std::string& expected) {
    return {ComputeDigest(DigestAlgorithm::kSha256, expected), expected.size(), [this](bool good) {
              ++verdicts_;
              good_ = good;
            }};
  }

  absl::Status Add(SharedHash& hash, size_t offset, size_t size) {
    return hash.Add(absl::string_view(file_).substr(offset, size), offset,
                    [this](char* data, size_t wanted, uint64_t at) {
                      ++reads_;
                      if (at >= unreadable_from_) return absl::DataLossError("cannot be read");
                      file_.copy(data, wanted, at);
                      return absl::OkStatus();
                    });
  }

  // As a stream does: from an offset to the end. Returns how many bytes were added.
  size_t AddAll(SharedHash& hash, size_t offset, absl::Status* end) {
    while (offset < kSize) {
      const size_t size = std::min(kPiece, kSize - offset);
      *end = Add(hash, offset, size);
      if (!end->ok()) break;
      offset += size;
    }
    return offset;
  }

  std::string file_ = std::string(kSize, 'a');
  size_t unreadable_from_ = kSize;
  std::atomic<int> reads_{0};
  std::atomic<int> verdicts_{0};
  std::atomic<bool> good_{false};
};

TEST_F(SharedHashTest, OneReaderReadsNothingTwice) {
  SharedHash hash = MakeHash(file_);
  absl::Status end;
  EXPECT_EQ(AddAll(hash, 0, &end), kSize);
  EXPECT_OK(end);
  EXPECT_EQ(reads_, 0);
  EXPECT_EQ(verdicts_, 1);
  EXPECT_TRUE(good_);
}

TEST_F(SharedHashTest, TheLastBytesOfAnotherFileAreRefused) {
  SharedHash hash = MakeHash(std::string(kSize, 'b'));
  absl::Status end;
  EXPECT_EQ(AddAll(hash, 0, &end), kSize / kPiece * kPiece);
  EXPECT_THAT(end, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(verdicts_, 1);
  EXPECT_FALSE(good_);
}

TEST_F(SharedHashTest, HashesWhatWasSkipped) {
  SharedHash hash = MakeHash(file_);
  EXPECT_OK(Add(hash, kSize - 10, 10));
  EXPECT_EQ(verdicts_, 1);
  EXPECT_TRUE(good_);
}

TEST_F(SharedHashTest, ReadersBehindHashAhead) {
  SharedHash hash = MakeHash(std::string(kSize, 'b'));
  // All readers read their first piece again and again, as slow clients do that come one after the other.
  int pieces = 0;
  while (Add(hash, 0, kPiece).ok() && pieces < 1000) ++pieces;
  EXPECT_EQ(verdicts_, 1);
  EXPECT_LT(pieces, 20) << "the digest is known although nobody has read further than the first piece";
  EXPECT_THAT(Add(hash, kPiece, kPiece), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(SharedHashTest, BytesThatCannotBeReadAreTheErrorOfWhoNeedsThem) {
  SharedHash hash = MakeHash(file_);
  unreadable_from_ = kSize / 2;
  for (int i = 0; i < 100; ++i) ASSERT_OK(Add(hash, 0, kPiece));
  EXPECT_THAT(Add(hash, kSize - 10, 10), StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_EQ(verdicts_, 0);
  unreadable_from_ = kSize;
  EXPECT_OK(Add(hash, kSize - 10, 10));
  EXPECT_TRUE(good_);
}

TEST_F(SharedHashTest, ManyReadersAgree) {
  for (const bool good : {true, false}) {
    verdicts_ = 0;
    SharedHash hash = MakeHash(std::string(kSize, good ? 'a' : 'b'));
    std::vector<absl::Status> ends(8);
    std::vector<size_t> added(8);
    std::vector<std::thread> readers;
    for (size_t i = 0; i < ends.size(); ++i) {
      readers.emplace_back([&, i] { added[i] = AddAll(hash, i * kPiece / 2, &ends[i]); });
    }
    for (std::thread& reader : readers) reader.join();
    EXPECT_EQ(verdicts_, 1);
    EXPECT_EQ(good_, good);
    for (size_t i = 0; i < ends.size(); ++i) {
      EXPECT_EQ(ends[i].ok(), good) << i;
      EXPECT_EQ(added[i] == kSize, good) << i;
    }
  }
}

}  // namespace
}  // namespace entrepot::blob
