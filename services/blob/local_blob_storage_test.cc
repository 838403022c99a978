#include "services/blob/local_blob_storage.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/blob/io/faulty_system_calls.h"
#include "services/blob/objects/blob_keys.h"
#include "services/blob/objects/blob_metrics.h"
#include "services/blob/objects/filesystem_object_store.h"
#include "services/blob/objects/kv_object_store.h"
#include "services/blob/objects/memory_object_store.h"
#include "services/blob/objects/tiered_object_store.h"
#include "services/blob/sessions/kv_upload_sessions.h"
#include "services/core/content.h"
#include "services/core/digester.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Optional;
using Call = FaultySystemCalls::Call;

enum class Files { kOnDisk, kInMemory };

constexpr size_t kSmall = 1000;
constexpr size_t kLarge = 3'000'001;

std::string Bytes(char letter, size_t size) { return std::string(size, letter); }

// The sessions and both tiers, with files on a disk or in memory.
class LocalBlobStorageTest : public testing::TestWithParam<Files> {
 protected:
  LocalBlobStorageTest() {
    if (GetParam() == Files::kInMemory) {
      store_ = std::make_unique<MemoryObjectStore>(&clock_);
    } else {
      store_ = std::make_unique<FilesystemObjectStore>(*BlobDirectory::Open(directory_.path() + "/blobs", calls_),
                                                       &calls_, &gate_, &metrics_);
    }
    Restart();
  }

  void Restart() {
    storage_.reset();
    sessions_.reset();
    objects_ = std::make_unique<TieredObjectStore>(store_.get(), &values_, &gate_);
    sessions_ = std::make_unique<KvUploadSessions>(KvUploadSessions::Options{.limits = {.lifetime = kLifetime}}, &kv_,
                                                   store_.get(), objects_.get(), &clock_, &metrics_);
    EXPECT_OK(sessions_->Recover());
    storage_ = std::make_unique<LocalBlobStorage>(
        LocalBlobStorage::Parts{.objects = objects_.get(), .sessions = sessions_.get(), .clock = &clock_});
  }

  struct Stored {
    UploadId upload;
    Blob blob;
  };

  Stored Seal(const std::string& bytes) {
    const UploadId id = sessions_->Start(owner_, DigestAlgorithm::kSha256)->id;
    std::unique_ptr<UploadAppender> appender = *sessions_->Append(owner_, id, {});
    EXPECT_OK(appender->Append(bytes));
    const Digest digest = ComputeDigest(DigestAlgorithm::kSha256, bytes);
    Blob sealed = *appender->FinishAndSeal(digest);
    return {id, {digest, sealed.size_bytes, sealed.storage_key}};
  }

  // Stores an object whose session is sealed and forgotten, as after a commit.
  Blob Store(const std::string& bytes) {
    Stored stored = Seal(bytes);
    EXPECT_OK(sessions_->Forget(owner_, stored.upload));
    EXPECT_OK(sessions_->FlushForgotten());
    return stored.blob;
  }

  // Flips one bit of the object on the disk.
  void Damage(const Blob& blob, const std::string& bytes) {
    std::string damaged = bytes;
    damaged[damaged.size() / 2] ^= 1;
    if (blob.storage_key.tier() == StorageTier::kKv) {
      ASSERT_OK(kv_.Transact(
          {},
          [&](kv::KvTransaction& transaction) {
            transaction.Put(ObjectKey(blob.storage_key), damaged);
            return absl::OkStatus();
          },
          kv::Durability::kBuffered));
    } else if (GetParam() == Files::kInMemory) {
      static_cast<MemoryObjectStore&>(*store_).Damage(blob.storage_key, damaged);
    } else {
      const OwnedFd fd(::open(PathOf(blob.storage_key).c_str(), O_WRONLY));
      const auto at = static_cast<off_t>(bytes.size() / 2);
      ASSERT_EQ(::pwrite(fd.get(), &damaged[damaged.size() / 2], 1, at), 1);
    }
  }

  std::string PathOf(const StorageKey& key) const {
    return absl::StrCat(directory_.path(), "/blobs/objects/", BlobDirectory::PathOf(key));
  }

  std::vector<StorageKey> ListAllUnclaimed(size_t limit) {
    std::vector<StorageKey> keys;
    std::string start_after;
    do {
      absl::StatusOr<StoredObjectPage> page = storage_->ListUnclaimed(kAge, start_after, limit);
      EXPECT_OK(page);
      if (!page.ok()) break;
      EXPECT_LE(page->objects.size(), limit);
      for (const StoredObject& object : page->objects) keys.push_back(object.storage_key);
      start_after = page->next;
    } while (!start_after.empty());
    return keys;
  }

  static constexpr absl::Duration kLifetime = absl::Hours(24);
  static constexpr absl::Duration kAge = absl::Hours(1);

  kv::TemporaryDirectory directory_;
  FaultySystemCalls calls_;
  // The real time, because the kernel sets the times of files.
  FakeClock clock_{absl::Now()};
  kv::MemoryKvEngine kv_;
  prometheus::Registry registry_;
  BlobMetrics metrics_{registry_};
  WriteGate gate_{metrics_.store_read_only()};
  std::unique_ptr<StagingObjectStore> store_;
  KvObjectStore values_{&kv_, kv::Durability::kSynced, &metrics_};
  std::unique_ptr<TieredObjectStore> objects_;
  std::unique_ptr<KvUploadSessions> sessions_;
  std::unique_ptr<LocalBlobStorage> storage_;
  const UploadOwner owner_{.repository = *RepositoryName::Parse("team/app"), .account = "ada"};
};

INSTANTIATE_TEST_SUITE_P(Files, LocalBlobStorageTest, testing::Values(Files::kOnDisk, Files::kInMemory));

TEST_P(LocalBlobStorageTest, StopsVerifying) {
  const Blob blob = Store(Bytes('a', kLarge));
  // The call would take a month. Either of the two may come first.
  std::thread verifying([&] { EXPECT_THAT(storage_->Verify(blob, 1), StatusIs(absl::StatusCode::kCancelled)); });
  storage_->StopVerifying();
  verifying.join();
  EXPECT_THAT(storage_->Verify(blob, 0), StatusIs(absl::StatusCode::kCancelled));
  EXPECT_OK(storage_->Check(blob.storage_key, blob.size_bytes));
}

TEST_P(LocalBlobStorageTest, ChecksExistenceAndSize) {
  for (size_t size : {kSmall, kLarge}) {
    const Blob blob = Store(Bytes('a', size));
    EXPECT_OK(storage_->Check(blob.storage_key, size));
    EXPECT_THAT(storage_->Check(blob.storage_key, size + 1), StatusIs(absl::StatusCode::kDataLoss));
    EXPECT_THAT(storage_->Check(StorageKey::Random(blob.storage_key.tier()), size),
                StatusIs(absl::StatusCode::kNotFound));
  }
}

TEST_P(LocalBlobStorageTest, ListsAllUnclaimedObjectsWhateverTheClockSays) {
  const Blob blob = Store(Bytes('a', kLarge));
  clock_.Advance(-2 * kAge);
  EXPECT_THAT(ListAllUnclaimed(10), IsEmpty());
  ASSERT_OK_AND_ASSIGN(const StoredObjectPage page, storage_->ListUnclaimed(absl::ZeroDuration(), "", 10));
  ASSERT_EQ(page.objects.size(), 1u);
  EXPECT_EQ(page.objects.front().storage_key, blob.storage_key);
}

TEST_P(LocalBlobStorageTest, VerifiesEveryByte) {
  // Also a whole number of blocks, and one block and a byte.
  for (size_t size : {kSmall, size_t{64 << 10}, size_t{1 << 20}, size_t{(1 << 20) + 1}, kLarge}) {
    const std::string bytes = Bytes('a', size);
    Blob blob = Store(bytes);
    EXPECT_OK(storage_->Verify(blob, 0)) << size;
    ++blob.size_bytes;
    EXPECT_THAT(storage_->Verify(blob, 0), StatusIs(absl::StatusCode::kDataLoss)) << size;
    blob.size_bytes = size - 1;
    EXPECT_THAT(storage_->Verify(blob, 0), StatusIs(absl::StatusCode::kDataLoss)) << size;
    blob.size_bytes = size;
    Damage(blob, bytes);
    EXPECT_THAT(storage_->Verify(blob, 0), StatusIs(absl::StatusCode::kDataLoss)) << size;
    blob.storage_key = StorageKey::Random(blob.storage_key.tier());
    EXPECT_THAT(storage_->Verify(blob, 0), StatusIs(absl::StatusCode::kNotFound)) << size;
  }
}

TEST_P(LocalBlobStorageTest, VerifiesAtTheRequestedRate) {
  const Blob blob = Store(Bytes('a', kLarge));
  const auto start = std::chrono::steady_clock::now();
  EXPECT_OK(storage_->Verify(blob, 50 * kLarge));
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(20));
}

TEST_P(LocalBlobStorageTest, AQuarantinedObjectIsNotFound) {
  for (size_t size : {kSmall, kLarge}) {
    const Blob blob = Store(Bytes('a', size));
    EXPECT_OK(storage_->Quarantine(blob.storage_key));
    EXPECT_THAT(objects_->Open(blob.storage_key), StatusIs(absl::StatusCode::kNotFound));
    EXPECT_THAT(storage_->Check(blob.storage_key, size), StatusIs(absl::StatusCode::kNotFound));
    EXPECT_OK(storage_->Quarantine(blob.storage_key)) << "it no longer exists";
  }
  clock_.Advance(2 * kAge);
  EXPECT_THAT(ListAllUnclaimed(10), IsEmpty());
}

TEST_P(LocalBlobStorageTest, AValueInQuarantineIsKeptUntilItIsDeleted) {
  const Blob blob = Store(Bytes('a', kSmall));
  ASSERT_OK(storage_->Quarantine(blob.storage_key));
  EXPECT_THAT(kv_.Get(QuarantineKey(blob.storage_key)), IsOkAndHolds(Optional(Bytes('a', kSmall))));
  ASSERT_OK(storage_->Delete(blob.storage_key));
  EXPECT_THAT(kv_.Get(QuarantineKey(blob.storage_key)), IsOkAndHolds(testing::Eq(std::nullopt)));
  EXPECT_OK(storage_->Delete(blob.storage_key)) << "it no longer exists";
}

TEST_P(LocalBlobStorageTest, CountsWhatIsInQuarantineInBothTiers) {
  EXPECT_EQ(storage_->CountQuarantined(10)->count, 0u);
  for (int i = 0; i < 3; ++i) ASSERT_OK(storage_->Quarantine(Store(Bytes('a', kSmall)).storage_key));
  for (int i = 0; i < 2; ++i) ASSERT_OK(storage_->Quarantine(Store(Bytes('b', kLarge)).storage_key));
  ASSERT_OK_AND_ASSIGN(const Waiting all, storage_->CountQuarantined(5));
  EXPECT_EQ(all.count, 5u);
  EXPECT_EQ(all.bytes, 3 * kSmall + 2 * kLarge);
  EXPECT_FALSE(all.more);
  for (const size_t limit : {1, 2, 4}) {
    ASSERT_OK_AND_ASSIGN(const Waiting some, storage_->CountQuarantined(limit));
    EXPECT_EQ(some.count, limit);
    EXPECT_TRUE(some.more);
  }
}

TEST_P(LocalBlobStorageTest, ListsObjectsWithoutASession) {
  std::vector<StorageKey> expected;
  for (int i = 0; i < 5; ++i) {
    expected.push_back(Store(Bytes('a', kSmall)).storage_key);
    expected.push_back(Store(Bytes('b', 100'000)).storage_key);
  }
  std::sort(expected.begin(), expected.end());
  Seal(Bytes('c', kSmall));
  Seal(Bytes('d', 100'000));
  clock_.Advance(2 * kAge);
  for (size_t limit : {1, 3, 100}) EXPECT_THAT(ListAllUnclaimed(limit), ElementsAreArray(expected)) << limit;
}

TEST_P(LocalBlobStorageTest, DoesNotListRecentFiles) {
  const Blob blob = Store(Bytes('a', kLarge));
  EXPECT_THAT(ListAllUnclaimed(10), IsEmpty());
  clock_.Advance(kAge + absl::Minutes(1));
  EXPECT_THAT(ListAllUnclaimed(10), ElementsAre(blob.storage_key));
}

TEST_P(LocalBlobStorageTest, AnExpiredSealedUploadIsAbandonedUntilItIsForgotten) {
  const Stored small = Seal(Bytes('a', kSmall));
  const Stored large = Seal(Bytes('b', kLarge));
  EXPECT_EQ(sessions_->EndExpired(), 0);
  EXPECT_THAT(storage_->ListAbandoned(10), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(storage_->ForgetAbandoned(small.blob.storage_key), StatusIs(absl::StatusCode::kFailedPrecondition));

  clock_.Advance(kLifetime + absl::Minutes(1));
  sessions_->EndExpired();
  for (bool restarted : {false, true}) {
    if (restarted) Restart();
    ASSERT_OK_AND_ASSIGN(std::vector<Blob> abandoned, storage_->ListAbandoned(10));
    ASSERT_EQ(abandoned.size(), 2) << restarted;
    ASSERT_OK_AND_ASSIGN(abandoned, storage_->ListAbandoned(1));
    EXPECT_EQ(abandoned.size(), 1);
  }
  EXPECT_THAT(ListAllUnclaimed(10), IsEmpty()) << "their sessions still reference them";

  ASSERT_OK(storage_->ForgetAbandoned(small.blob.storage_key));
  EXPECT_OK(storage_->ForgetAbandoned(small.blob.storage_key)) << "already forgotten";
  ASSERT_OK_AND_ASSIGN(const std::vector<Blob> abandoned, storage_->ListAbandoned(10));
  ASSERT_EQ(abandoned.size(), 1);
  EXPECT_EQ(abandoned[0].storage_key, large.blob.storage_key);
  EXPECT_EQ(abandoned[0].digest, large.blob.digest);
  EXPECT_EQ(abandoned[0].size_bytes, kLarge);
  EXPECT_OK(storage_->Verify(small.blob, 0)) << "its object stays";
  EXPECT_THAT(ListAllUnclaimed(10), ElementsAre(small.blob.storage_key));
}

TEST_P(LocalBlobStorageTest, AnUploadWhoseClientComesBackLateIsNotAbandoned) {
  const Stored stored = Seal(Bytes('a', kSmall));
  clock_.Advance(kLifetime + absl::Minutes(1));
  sessions_->EndExpired();
  ASSERT_OK(sessions_->Forget(owner_, stored.upload));
  ASSERT_OK(sessions_->FlushForgotten());
  EXPECT_THAT(storage_->ListAbandoned(10), IsOkAndHolds(IsEmpty()));
}

TEST_P(LocalBlobStorageTest, AReadOnlyStoreDeletesNothing) {
  for (size_t size : {kSmall, kLarge}) {
    const Blob blob = Store(Bytes('a', size));
    if (size == kLarge) gate_.Close("a disk is broken");
    if (size == kSmall) continue;
    EXPECT_THAT(storage_->Delete(blob.storage_key), IsOciError(OciErrorCode::kUnavailable));
    EXPECT_THAT(storage_->Quarantine(blob.storage_key), IsOciError(OciErrorCode::kUnavailable));
    EXPECT_OK(storage_->Verify(blob, 0));
  }
}

TEST_P(LocalBlobStorageTest, ChecksTheNameOfASnapshot) {
  for (const char* name : {"", ".", "..", ".hidden", "a/b", "A", "a b"}) {
    EXPECT_THAT(storage_->Snapshot(name), StatusIs(absl::StatusCode::kInvalidArgument)) << name;
  }
  EXPECT_THAT(storage_->Snapshot(std::string(65, 'a')), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(storage_->Snapshot("2026-11-24_1.0"), StatusIs(absl::StatusCode::kUnimplemented)) << "the name is valid";
}

// Behaviour that needs a disk.
class LocalBlobStorageOnDiskTest : public LocalBlobStorageTest {
 protected:
  std::string QuarantinePathOf(const StorageKey& key) const {
    return absl::StrCat(directory_.path(), "/blobs/quarantine/", key.ToString());
  }
};

INSTANTIATE_TEST_SUITE_P(Files, LocalBlobStorageOnDiskTest, testing::Values(Files::kOnDisk));

TEST_P(LocalBlobStorageOnDiskTest, AFileInQuarantineIsKeptUntilItIsDeleted) {
  const Blob blob = Store(Bytes('a', kLarge));
  ASSERT_OK(storage_->Quarantine(blob.storage_key));
  EXPECT_EQ(std::filesystem::file_size(QuarantinePathOf(blob.storage_key)), kLarge);
  EXPECT_FALSE(std::filesystem::exists(PathOf(blob.storage_key)));
  ASSERT_OK(storage_->Delete(blob.storage_key));
  EXPECT_FALSE(std::filesystem::exists(QuarantinePathOf(blob.storage_key)));
}

TEST_P(LocalBlobStorageOnDiskTest, SyncsBothDirectoriesOfAMove) {
  const Blob blob = Store(Bytes('a', kLarge));
  const size_t before = calls_.Changes().size();
  ASSERT_OK(storage_->Quarantine(blob.storage_key));
  std::vector<Call> changes = calls_.Changes();
  changes.erase(changes.begin(), changes.begin() + static_cast<std::ptrdiff_t>(before));
  EXPECT_THAT(changes, ElementsAre(Call::kRename, Call::kSync, Call::kSync));
}

TEST_P(LocalBlobStorageOnDiskTest, QuarantinesWithoutRenameNoReplace) {
  const Blob blob = Store(Bytes('a', kLarge));
  calls_.Fail(Call::kRename, EINVAL);
  ASSERT_OK(storage_->Quarantine(blob.storage_key));
  EXPECT_EQ(std::filesystem::file_size(QuarantinePathOf(blob.storage_key)), kLarge);
  EXPECT_FALSE(std::filesystem::exists(PathOf(blob.storage_key)));
  EXPECT_OK(storage_->Quarantine(blob.storage_key)) << "it no longer exists";
}

TEST_P(LocalBlobStorageOnDiskTest, FinishesAnInterruptedQuarantine) {
  const Blob blob = Store(Bytes('a', kLarge));
  std::filesystem::create_hard_link(PathOf(blob.storage_key), QuarantinePathOf(blob.storage_key));
  ASSERT_OK(storage_->Quarantine(blob.storage_key));
  EXPECT_TRUE(std::filesystem::exists(QuarantinePathOf(blob.storage_key)));
  EXPECT_FALSE(std::filesystem::exists(PathOf(blob.storage_key)));
}

TEST_P(LocalBlobStorageOnDiskTest, AnIoErrorChangesNothing) {
  const Blob blob = Store(Bytes('a', kLarge));
  calls_.Fail(Call::kRename, EACCES);
  EXPECT_THAT(storage_->Quarantine(blob.storage_key), IsOciError(OciErrorCode::kUnavailable));
  calls_.Fail(Call::kUnlink, EACCES);
  EXPECT_THAT(storage_->Delete(blob.storage_key), IsOciError(OciErrorCode::kUnavailable));
  calls_.Heal();
  EXPECT_OK(storage_->Verify(blob, 0));
  ASSERT_OK(gate_.Check()) << "only the one file has failed";

  calls_.Fail(Call::kRename, EIO);
  EXPECT_THAT(storage_->Quarantine(blob.storage_key), IsOciError(OciErrorCode::kUnavailable));
  calls_.Heal();
  EXPECT_THAT(storage_->Quarantine(blob.storage_key), IsOciError(OciErrorCode::kUnavailable))
      << "the store is read-only";
  EXPECT_OK(storage_->Verify(blob, 0));
}

TEST_P(LocalBlobStorageOnDiskTest, AFailedSyncIsReported) {
  const Blob blob = Store(Bytes('a', kLarge));
  calls_.Fail(Call::kSync, EIO, /*skip=*/1);
  EXPECT_THAT(storage_->Quarantine(blob.storage_key), IsOciError(OciErrorCode::kUnavailable));
  calls_.Heal();
  EXPECT_THAT(gate_.Check(), IsOciError(OciErrorCode::kUnavailable));
}

TEST_P(LocalBlobStorageOnDiskTest, AnUnreadableObjectIsDataLoss) {
  const Blob blob = Store(Bytes('a', kLarge));
  calls_.Fail(Call::kRead, EIO, /*skip=*/1);
  EXPECT_THAT(storage_->Verify(blob, 0), StatusIs(absl::StatusCode::kDataLoss));
  calls_.Heal();
  calls_.Fail(Call::kOpen, EMFILE);
  EXPECT_THAT(storage_->Verify(blob, 0), IsOciError(OciErrorCode::kUnavailable)) << "proves nothing about the object";
}

TEST_P(LocalBlobStorageOnDiskTest, VerifiesThroughThePageCacheWithoutDirectReads) {
  const Blob blob = Store(Bytes('a', kLarge));
  calls_.Fail(Call::kRead, EINVAL, /*skip=*/1, /*times=*/1);
  EXPECT_OK(storage_->Verify(blob, 0)) << "continues where direct reads ended";
  calls_.Fail(Call::kOpen, EINVAL, /*skip=*/2, /*times=*/1);
  EXPECT_OK(storage_->Verify(blob, 0));
  calls_.Interrupt();
  EXPECT_OK(storage_->Verify(blob, 0));
}

TEST_P(LocalBlobStorageOnDiskTest, ATruncatedFileIsDataLoss) {
  const Blob blob = Store(Bytes('a', kLarge));
  ASSERT_EQ(::truncate(PathOf(blob.storage_key).c_str(), kLarge - 1), 0);
  const absl::Status status = storage_->Verify(blob, 0);
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kDataLoss));
  EXPECT_THAT(std::string(status.message()), HasSubstr("has 3000000 bytes, but its record has 3000001"));
}

TEST_P(LocalBlobStorageOnDiskTest, DoesNotListOtherFiles) {
  const Blob blob = Store(Bytes('a', kLarge));
  const std::string fan_out = std::filesystem::path(PathOf(blob.storage_key)).parent_path();
  const OwnedFd strange(::open((fan_out + "/lost+found").c_str(), O_CREAT | O_WRONLY, 0600));
  ASSERT_GE(strange.get(), 0);
  clock_.Advance(2 * kAge);
  EXPECT_THAT(ListAllUnclaimed(10), ElementsAre(blob.storage_key));
}

}  // namespace
}  // namespace entrepot::blob
