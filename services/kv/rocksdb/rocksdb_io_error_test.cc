// Tests how the engine handles errors of the kernel. The calls of the C library that RocksDB makes are replaced here.
#include <sys/statfs.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/kv/rocksdb/rocksdb_kv_engine.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/status_matchers.h"

namespace {

// The errno that each call reports; 0 for none.
std::atomic<int> fdatasync_error = 0;
std::atomic<int> write_error = 0;
// The free bytes that statvfs reports; negative for the real number.
std::atomic<int64_t> free_bytes = -1;

bool IsRegularFileOfTest(int fd) { return fd > 2; }

}  // namespace

extern "C" int fdatasync(int fd) {
  if (const int error = fdatasync_error; error != 0) {
    errno = error;
    return -1;
  }
  return static_cast<int>(syscall(SYS_fdatasync, fd));
}

extern "C" ssize_t write(int fd, const void* bytes, size_t count) {
  if (const int error = write_error; error != 0 && IsRegularFileOfTest(fd)) {
    errno = error;
    return -1;
  }
  return syscall(SYS_write, fd, bytes, count);
}

extern "C" int statvfs(const char* path, struct statvfs* stats) {
  struct statfs system;
  if (syscall(SYS_statfs, path, &system) != 0) return -1;
  *stats = {};
  stats->f_frsize = static_cast<unsigned long>(system.f_bsize);
  stats->f_blocks = system.f_blocks;
  stats->f_bavail = free_bytes < 0 ? system.f_bavail : static_cast<fsblkcnt_t>(free_bytes / system.f_bsize);
  return 0;
}

namespace entrepot::kv {
namespace {

using testing::Eq;
using testing::HasSubstr;
using testing::Optional;

class RocksDbIoErrorTest : public testing::Test {
 protected:
  RocksDbIoErrorTest() { Reopen(); }
  ~RocksDbIoErrorTest() override {
    fdatasync_error = write_error = 0;
    free_bytes = -1;
  }

  void Reopen() {
    kv_.reset();
    RocksDbKvEngine::Options options;
    options.directory = temporary_.path() + "/db";
    absl::StatusOr<std::unique_ptr<RocksDbKvEngine>> opened = RocksDbKvEngine::Open(options);
    ASSERT_OK(opened);
    kv_ = *std::move(opened);
  }

  absl::Status Put(const std::string& key, Durability durability = Durability::kSynced) {
    return kv_->Transact(
        {{key}},
        [&](KvTransaction& transaction) {
          transaction.Put(key, "value");
          return absl::OkStatus();
        },
        durability);
  }

  TemporaryDirectory temporary_;
  std::unique_ptr<RocksDbKvEngine> kv_;
};

TEST_F(RocksDbIoErrorTest, AFailedSyncStopsWritingUntilReopened) {
  ASSERT_OK(Put("before"));
  for (const int error : {EIO, ENOSPC}) {
    fdatasync_error = error;
    const std::string during = absl::StrCat("during ", error);
    EXPECT_THAT(Put(during), StatusIs(absl::StatusCode::kUnavailable));
    fdatasync_error = 0;
    EXPECT_THAT(kv_->Get(during), IsOkAndHolds(Eq(std::nullopt))) << "a commit that may not be durable is not visible";
    // The kernel would report success now, although it dropped the pages that it failed to write.
    for (Durability durability : {Durability::kSynced, Durability::kBuffered}) {
      absl::Status status = Put("after", durability);
      EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
      EXPECT_THAT(std::string(status.message()), HasSubstr("until a restart"));
    }
    EXPECT_THAT(kv_->Health(), StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_THAT(kv_->Get("before"), IsOkAndHolds(Optional(std::string("value")))) << "reads continue";
    EXPECT_OK(kv_->Transact(
        {{"before"}}, [](KvTransaction& transaction) { return transaction.Get("before").status(); },
        Durability::kSynced));
    Reopen();
    EXPECT_OK(kv_->Health());
    EXPECT_THAT(kv_->Get("before"), IsOkAndHolds(Optional(std::string("value"))));
    EXPECT_THAT(kv_->Get("after"), IsOkAndHolds(Eq(std::nullopt)));
    ASSERT_OK(Put("before"));
  }
}

TEST_F(RocksDbIoErrorTest, AFailedLogWriteStopsWritingUntilReopened) {
  ASSERT_OK(Put("before"));
  for (const int error : {EIO, ENOSPC}) {
    write_error = error;
    EXPECT_THAT(Put("during", Durability::kBuffered), StatusIs(absl::StatusCode::kUnavailable));
    write_error = 0;
    EXPECT_THAT(Put("after"), StatusIs(absl::StatusCode::kUnavailable));
    EXPECT_THAT(kv_->Get("before"), IsOkAndHolds(Optional(std::string("value"))));
    Reopen();
    EXPECT_THAT(kv_->Get("before"), IsOkAndHolds(Optional(std::string("value"))));
    EXPECT_THAT(kv_->Get("during"), IsOkAndHolds(Eq(std::nullopt)));
    ASSERT_OK(Put("before"));
  }
}

TEST_F(RocksDbIoErrorTest, AFailedFlushStopsWriting) {
  const std::string large(100000, 'x');
  absl::Status status;
  // Fills memtables until the sync of a flush fails in the background.
  fdatasync_error = EIO;
  for (int i = 0; i < 2000 && status.ok(); ++i) {
    status = kv_->Transact(
        {},
        [&](KvTransaction& transaction) {
          transaction.Put(absl::StrCat("key", i), large);
          return absl::OkStatus();
        },
        Durability::kBuffered);
  }
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  fdatasync_error = 0;
  EXPECT_THAT(Put("after"), StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(kv_->Get("key0"), IsOkAndHolds(Optional(large)));
  Reopen();
  EXPECT_THAT(kv_->Get("key0"), IsOkAndHolds(Optional(large)));
  EXPECT_OK(Put("after"));
}

TEST_F(RocksDbIoErrorTest, AnUnwritableDirectoryIsReported) {
  kv_.reset();
  write_error = ENOSPC;
  RocksDbKvEngine::Options options;
  options.directory = temporary_.path() + "/other";
  absl::Status status = RocksDbKvEngine::Open(options).status();
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(status.message()), HasSubstr(options.directory));
  EXPECT_THAT(std::string(status.message()), HasSubstr("No space left"));
}

TEST_F(RocksDbIoErrorTest, ANearlyFullDiskRefusesWritesUntilThereIsRoom) {
  auto remove = [&](const std::string& key) {
    return kv_->Transact(
        {{key}},
        [&](KvTransaction& transaction) {
          transaction.Put("log of " + key, "deleted");
          transaction.Delete(key);
          return absl::OkStatus();
        },
        Durability::kSynced);
  };
  ASSERT_OK(Put("a"));
  ASSERT_OK(Put("b"));
  free_bytes = int64_t{32} << 20;
  absl::Status status = Put("c");
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kUnavailable));
  EXPECT_THAT(std::string(status.message()), HasSubstr("33554432 bytes left"));
  EXPECT_THAT(kv_->Get("a"), IsOkAndHolds(Optional(std::string("value")))) << "reads continue";
  EXPECT_OK(remove("a")) << "deletions continue";
  EXPECT_THAT(kv_->Get("a"), IsOkAndHolds(Eq(std::nullopt)));
  EXPECT_OK(kv_->Health()) << "nothing has failed";
  free_bytes = 4096;
  EXPECT_THAT(remove("b"), StatusIs(absl::StatusCode::kUnavailable));
  free_bytes = -1;
  EXPECT_OK(Put("c"));
}

}  // namespace
}  // namespace entrepot::kv
