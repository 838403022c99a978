#include "services/kv/rocksdb/rocksdb_wal_end.h"

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rocksdb/version.h"
#include "services/kv/rocksdb/rocksdb_crc32c.h"
#include "services/status/status_matchers.h"

namespace entrepot::kv {
namespace {

// Writes records in RocksDB's format.
class LogBuilder {
 public:
  // One whole fragment of that type.
  void AddOfType(int type, const std::string& payload) {
    AddFragment(static_cast<char>(type), payload);
    ends_.push_back(log_.size());
  }
  // One whole fragment with the longer header of recycled logs.
  void AddRecycled(int type, const std::string& payload) {
    const size_t header = log_.size();
    AddFragment(static_cast<char>(type), std::string(4, '\x01') + payload);
    log_[header + 4] = static_cast<char>(payload.size());
    ends_.push_back(log_.size());
  }

  void Add(std::string payload) {
    for (bool first = true;; first = false) {
      size_t room = kBlock - log_.size() % kBlock;
      if (room < 7) {
        log_.append(room, '\0');
        room = kBlock;
      }
      const size_t length = std::min(payload.size(), room - 7);
      const bool last = length == payload.size();
      const int type = first ? (last ? 1 : 2) : (last ? 4 : 3);
      AddFragment(static_cast<char>(type), payload.substr(0, length));
      payload.erase(0, length);
      if (last) break;
    }
    ends_.push_back(log_.size());
  }

  const std::string& log() const { return log_; }
  // Where each record ends.
  const std::vector<uint64_t>& ends() const { return ends_; }

 private:
  static constexpr size_t kBlock = 32768;

  void AddFragment(char type, const std::string& payload) {
    Crc32c crc;
    crc.Add(std::string(1, type) + payload);
    const uint32_t masked = ((crc.value() >> 15) | (crc.value() << 17)) + 0xa282ead8u;
    for (int shift = 0; shift < 32; shift += 8) log_.push_back(static_cast<char>(masked >> shift));
    log_.push_back(static_cast<char>(payload.size()));
    log_.push_back(static_cast<char>(payload.size() >> 8));
    log_.push_back(type);
    log_ += payload;
  }

  std::string log_;
  std::vector<uint64_t> ends_;
};

std::string Payload(size_t size) {
  std::string payload;
  for (size_t i = 0; i < size; ++i) payload.push_back(static_cast<char>(1 + i % 251));
  return payload;
}

// Several blocks, with records that begin, end and continue in a block, and a block that ends in padding.
LogBuilder ManyRecords() {
  LogBuilder builder;
  for (size_t size : {size_t{100}, size_t{1000}, size_t{70000}, size_t{0}, size_t{300}}) builder.Add(Payload(size));
  const size_t to_padding = 32768 - builder.log().size() % 32768 - 7 - 3;
  builder.Add(Payload(to_padding));
  for (size_t size : {size_t{20}, size_t{2000}, size_t{1}}) builder.Add(Payload(size));
  return builder;
}

// The end of the last record before `size`.
uint64_t EndBefore(const LogBuilder& builder, size_t size) {
  uint64_t end = 0;
  for (uint64_t candidate : builder.ends()) {
    if (candidate <= size) end = candidate;
  }
  return end;
}

TEST(RocksDbWalEndTest, AnEmptyLogEndsAtZero) { EXPECT_THAT(FindWalEnd(""), IsOkAndHolds(0u)); }

TEST(RocksDbWalEndTest, AWholeLogEndsAtItsSize) {
  const LogBuilder builder = ManyRecords();
  EXPECT_THAT(FindWalEnd(builder.log()), IsOkAndHolds(builder.log().size()));
}

TEST(RocksDbWalEndTest, ATruncatedLogEndsAfterItsLastWholeRecord) {
  const LogBuilder builder = ManyRecords();
  for (size_t size = 0; size < builder.log().size(); size += size < 1200 || size > 98000 ? 1 : 211) {
    ASSERT_THAT(FindWalEnd(builder.log().substr(0, size)), IsOkAndHolds(EndBefore(builder, size))) << size;
  }
}

TEST(RocksDbWalEndTest, UnwrittenSectorsAreATornTail) {
  const LogBuilder builder = ManyRecords();
  for (size_t size = 0; size < builder.log().size(); size += 512) {
    const std::string torn = builder.log().substr(0, size) + std::string(builder.log().size() - size, '\0');
    ASSERT_THAT(FindWalEnd(torn), IsOkAndHolds(EndBefore(builder, size))) << size;
  }
}

TEST(RocksDbWalEndTest, IgnoresZerosBehindTheLastRecord) {
  const LogBuilder builder = ManyRecords();
  for (size_t zeros : {1, 6, 7, 8, 511, 512, 4096, 100000}) {
    EXPECT_THAT(FindWalEnd(builder.log() + std::string(zeros, '\0')), IsOkAndHolds(builder.log().size())) << zeros;
  }
}

TEST(RocksDbWalEndTest, AValueOfZerosIsNotATornTail) {
  LogBuilder builder;
  builder.Add(std::string(50000, '\0'));
  EXPECT_THAT(FindWalEnd(builder.log()), IsOkAndHolds(builder.log().size()));
}

TEST(RocksDbWalEndTest, AFlippedBitIsDamageAnywhere) {
  LogBuilder builder;
  for (size_t size : {10, 300, 33000, 40}) builder.Add(Payload(size));
  // All bytes near the records' headers, and some of the long record's.
  for (size_t i = 0; i < builder.log().size(); i += i < 400 || i > 32700 ? 1 : 101) {
    std::string flipped = builder.log();
    flipped[i] = static_cast<char>(flipped[i] ^ (1 << i % 8));
    ASSERT_THAT(FindWalEnd(flipped), StatusIs(absl::StatusCode::kDataLoss)) << "byte " << i << " bit " << i % 8;
  }
}

TEST(RocksDbWalEndTest, AHoleInTheMiddleIsDamage) {
  const LogBuilder builder = ManyRecords();
  for (size_t sector = 0; sector + 1024 < builder.log().size(); sector += 512) {
    std::string holed = builder.log();
    holed.replace(sector, 512, 512, '\0');
    ASSERT_THAT(FindWalEnd(holed), StatusIs(absl::StatusCode::kDataLoss)) << sector;
  }
}

TEST(RocksDbWalEndTest, AnIntactRecordOfUnknownTypeIsNotDamage) {
  for (const int type : {5, 9, 10, 130, 255}) {
    LogBuilder builder;
    builder.Add("abc");
    builder.AddOfType(type, "def");
    const absl::Status status = FindWalEnd(builder.log()).status();
    EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnimplemented)) << type;
    EXPECT_THAT(std::string(status.message()), testing::HasSubstr(absl::StrCat("type ", type, " at offset 10")));
    std::string damaged = builder.log();
    damaged.back() ^= 1;
    EXPECT_THAT(FindWalEnd(damaged), StatusIs(absl::StatusCode::kDataLoss)) << type;
  }
}

TEST(RocksDbWalEndTest, RecycledLogsHaveUnknownTypes) {
  LogBuilder builder;
  builder.AddRecycled(5, "abc");
  EXPECT_THAT(FindWalEnd(builder.log()), StatusIs(absl::StatusCode::kUnimplemented));
}

TEST(RocksDbWalEndTest, WasCheckedAgainstTheRocksDbInUse) {
  EXPECT_EQ(absl::StrCat(ROCKSDB_MAJOR, ".", ROCKSDB_MINOR), absl::StrCat(kCheckedWalMajor, ".", kCheckedWalMinor))
      << "RocksDB has changed. Compare the layout and the record types in its db/log_format.h with rocksdb_wal_end.h, "
         "then set kCheckedWalMajor and kCheckedWalMinor to the new version.";
}

TEST(RocksDbWalEndTest, TheErrorContainsTheOffset) {
  LogBuilder builder;
  builder.Add("abc");
  builder.Add("def");
  std::string flipped = builder.log();
  flipped[18] = 'x';
  EXPECT_THAT(std::string(FindWalEnd(flipped).status().message()), testing::HasSubstr("at offset 10"));
}

}  // namespace
}  // namespace entrepot::kv
