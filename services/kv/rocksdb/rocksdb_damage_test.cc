// Tests how the engine handles files that a power cut or a bad disk changed.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "rocksdb/db.h"
#include "services/kv/rocksdb/rocksdb_kv_engine.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace entrepot::kv {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Optional;

std::string ReadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
}

void WriteFile(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << content;
}

std::string KeyOf(int i) { return absl::StrFormat("key%06d", i); }
std::string ValueOf(int i) { return absl::StrCat("value ", i, std::string(i % 7 == 0 ? 5000 : 20, 'x')); }

class RocksDbDamageTest : public testing::Test {
 protected:
  static absl::StatusOr<std::unique_ptr<RocksDbKvEngine>> Open(const std::string& directory) {
    RocksDbKvEngine::Options options;
    options.directory = directory;
    return RocksDbKvEngine::Open(options);
  }

  static void Put(KvEngine& kv, int i, Durability durability = Durability::kSynced) {
    ASSERT_OK(kv.Transact(
        {{KeyOf(i)}},
        [&](KvTransaction& transaction) {
          transaction.Put(KeyOf(i), ValueOf(i));
          return absl::OkStatus();
        },
        durability));
  }

  // A copy of the directory as a power cut at this moment would leave it.
  std::string CopyOf(const std::string& directory) {
    const std::string copy = absl::StrCat(temporary_.path(), "/copy", copies_++);
    std::filesystem::copy(directory, copy, std::filesystem::copy_options::recursive);
    return copy;
  }

  // The only non-empty file with that extension.
  static std::string OnlyFile(const std::string& directory, const std::string& extension) {
    std::vector<std::string> found;
    for (const auto& entry : std::filesystem::directory_iterator(directory)) {
      if (entry.path().extension() == extension && entry.file_size() > 0) found.push_back(entry.path());
    }
    EXPECT_EQ(found.size(), 1u) << extension;
    return found.empty() ? "" : found.front();
  }

  TemporaryDirectory temporary_;
  const std::string directory_ = temporary_.path() + "/db";
  int copies_ = 0;
};

TEST_F(RocksDbDamageTest, ATornLogLosesOnlyItsTornRecord) {
  constexpr int kCount = 60;
  std::string log_name;
  std::vector<size_t> ends;
  std::string crashed;
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<RocksDbKvEngine> kv, Open(directory_));
    log_name = std::filesystem::path(directory_ + "/000000.log").filename();
    for (int i = 0; i < kCount; ++i) {
      Put(*kv, i);
      log_name = std::filesystem::path(OnlyFile(directory_, ".log")).filename();
      ends.push_back(std::filesystem::file_size(directory_ + "/" + log_name));
    }
    crashed = CopyOf(directory_);
  }
  for (size_t size = 0; size <= ends.back(); size += 997) {
    const std::string torn = CopyOf(crashed);
    std::filesystem::resize_file(torn + "/" + log_name, size);
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<RocksDbKvEngine> kv, Open(torn));
    for (int i = 0; i < kCount; ++i) {
      if (ends[i] <= size) {
        ASSERT_THAT(kv->Get(KeyOf(i)), IsOkAndHolds(Optional(ValueOf(i)))) << i << " of a log of " << size;
      } else {
        ASSERT_THAT(kv->Get(KeyOf(i)), IsOkAndHolds(testing::Eq(std::nullopt))) << i << " of a log of " << size;
      }
    }
    Put(*kv, kCount);
    kv.reset();
    ASSERT_OK_AND_ASSIGN(kv, Open(torn));
    EXPECT_THAT(kv->Get(KeyOf(kCount)), IsOkAndHolds(Optional(ValueOf(kCount))));
    kv.reset();
    std::filesystem::remove_all(torn);
  }
}

TEST_F(RocksDbDamageTest, OpensALogThatEndsInUnwrittenSectors) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<RocksDbKvEngine> kv, Open(directory_));
  for (int i = 0; i < 3; ++i) Put(*kv, i);
  const std::string crashed = CopyOf(directory_);
  const std::string log = OnlyFile(crashed, ".log");
  std::string content = ReadFile(log);
  content += content.substr(0, 100);
  content.resize((content.size() + 8191) / 512 * 512, '\0');
  content.resize(content.size() - content.size() % 512);
  // The copied record is complete except for its last bytes, which are zero.
  const size_t whole = ReadFile(log).size();
  std::fill(content.begin() + static_cast<long>((whole / 512 + 1) * 512), content.end(), '\0');
  WriteFile(log, content);
  absl::StatusOr<std::unique_ptr<RocksDbKvEngine>> opened = Open(crashed);
  ASSERT_OK(opened);
  for (int i = 0; i < 3; ++i) EXPECT_THAT((*opened)->Get(KeyOf(i)), IsOkAndHolds(Optional(ValueOf(i))));
}

TEST_F(RocksDbDamageTest, AFlippedBitInTheLogIsReportedAndChangesNothing) {
  std::string crashed;
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<RocksDbKvEngine> kv, Open(directory_));
    for (int i = 0; i < 40; ++i) Put(*kv, i);
    crashed = CopyOf(directory_);
  }
  const std::string log = OnlyFile(crashed, ".log");
  const std::string content = ReadFile(log);
  for (size_t i = 0; i < content.size(); i += 1009) {
    std::string flipped = content;
    flipped[i] = static_cast<char>(flipped[i] ^ 0x10);
    WriteFile(log, flipped);
    absl::Status status = Open(crashed).status();
    ASSERT_THAT(status, StatusIs(absl::StatusCode::kDataLoss)) << "byte " << i;
    EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrCat("write-ahead log ", log, " is damaged")));
    ASSERT_EQ(ReadFile(log), flipped);
  }
  WriteFile(log, content);
  EXPECT_OK(Open(crashed)) << "nothing but the log was damaged";
}

TEST_F(RocksDbDamageTest, ALogAfterATornLogIsReported) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<RocksDbKvEngine> kv, Open(directory_));
  for (int i = 0; i < 10; ++i) Put(*kv, i);
  const std::string crashed = CopyOf(directory_);
  const std::filesystem::path first = OnlyFile(crashed, ".log");
  const std::string content = ReadFile(first);
  WriteFile(first, content.substr(0, content.size() - 10));
  WriteFile(crashed + "/999999.log", content);
  absl::Status status = Open(crashed).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(std::string(status.message()), HasSubstr("999999.log continues"));
}

TEST_F(RocksDbDamageTest, UnknownRecordTypesAreLeftToRocksDb) {
  const auto recycled = [](rocksdb::Options& options) {
    options.recycle_log_file_num = 2;
    // RocksDB recycles logs in this mode only.
    options.wal_recovery_mode = rocksdb::WALRecoveryMode::kSkipAnyCorruptedRecords;
  };
  const auto compressed = [](rocksdb::Options& options) { options.wal_compression = rocksdb::kZSTD; };
  for (const std::function<void(rocksdb::Options&)>& configure :
       std::vector<std::function<void(rocksdb::Options&)>>{recycled, compressed}) {
    rocksdb::Options options;
    options.create_if_missing = true;
    configure(options);
    rocksdb::DB* opened = nullptr;
    ASSERT_TRUE(rocksdb::DB::Open(options, directory_, &opened).ok());
    std::unique_ptr<rocksdb::DB> db(opened);
    ASSERT_TRUE(db->Put({}, KeyOf(1), ValueOf(1)).ok());
    const std::string crashed = CopyOf(directory_);
    db.reset();
    std::filesystem::remove_all(directory_);

    std::vector<std::string> warnings;
    RocksDbKvEngine::Options own;
    own.directory = crashed;
    own.log = [&](absl::string_view line) { warnings.emplace_back(line); };
    ASSERT_OK_AND_ASSIGN(const std::unique_ptr<RocksDbKvEngine> kv, RocksDbKvEngine::Open(own));
    EXPECT_THAT(warnings, Contains(HasSubstr("contains a record of type ")));
    EXPECT_THAT(kv->Get(KeyOf(1)), IsOkAndHolds(Optional(ValueOf(1))));
    Put(*kv, 2);
  }
}

class RocksDbFileDamageTest : public RocksDbDamageTest, public testing::WithParamInterface<const char*> {};

TEST_P(RocksDbFileDamageTest, AFlippedBitNeverGivesAWrongValue) {
  constexpr int kCount = 200;
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<RocksDbKvEngine> kv, Open(directory_));
    for (int i = 0; i < kCount; ++i) Put(*kv, i, Durability::kBuffered);
  }
  const std::string path = OnlyFile(directory_, GetParam());
  const std::string content = ReadFile(path);
  int reported = 0, flips = 0;
  for (size_t byte = 11; byte < content.size(); byte += content.size() / 40, ++flips) {
    std::string flipped = content;
    flipped[byte] = static_cast<char>(flipped[byte] ^ 1);
    WriteFile(path, flipped);
    bool failed = false;
    absl::StatusOr<std::unique_ptr<RocksDbKvEngine>> kv = Open(directory_);
    if (!kv.ok()) {
      EXPECT_THAT(kv, StatusIs(absl::StatusCode::kDataLoss));
      failed = true;
    } else {
      for (int i = 0; i < kCount; ++i) {
        absl::StatusOr<std::optional<std::string>> value = (*kv)->Get(KeyOf(i));
        if (value.ok()) {
          ASSERT_THAT(*value, Optional(ValueOf(i))) << "byte " << byte;
        } else {
          ASSERT_THAT(value, StatusIs(absl::StatusCode::kDataLoss));
          failed = true;
        }
      }
    }
    reported += failed;
  }
  // A lookup does not read every byte, such as properties and the padding of a blob file's header.
  EXPECT_GE(reported, flips * 3 / 4);
}

INSTANTIATE_TEST_SUITE_P(Files, RocksDbFileDamageTest, testing::Values(".sst", ".blob"));

TEST_F(RocksDbDamageTest, AScanReportsDamage) {
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<RocksDbKvEngine> kv, Open(directory_));
    for (int i = 0; i < 500; ++i) Put(*kv, i, Durability::kBuffered);
  }
  const std::string path = OnlyFile(directory_, ".sst");
  std::string content = ReadFile(path);
  content[content.size() / 4] = static_cast<char>(content[content.size() / 4] ^ 1);
  WriteFile(path, content);
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<RocksDbKvEngine> kv, Open(directory_));
  EXPECT_THAT(kv->Scan({}), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(RocksDbDamageTest, AMissingFileIsReported) {
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<RocksDbKvEngine> kv, Open(directory_));
    for (int i = 0; i < 10; ++i) Put(*kv, i);
  }
  std::filesystem::remove(OnlyFile(directory_, ".sst"));
  EXPECT_THAT(Open(directory_), StatusIs(absl::StatusCode::kDataLoss));
}

}  // namespace
}  // namespace entrepot::kv
