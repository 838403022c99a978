#include "services/blob/objects/filesystem_object_store.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/blob/io/faulty_system_calls.h"
#include "services/blob/objects/object_store_conformance.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

using Call = FaultySystemCalls::Call;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// A store with its dependencies.
struct StoreOnDisk {
  kv::TemporaryDirectory temporary;
  FaultySystemCalls calls;
  prometheus::Registry registry;
  BlobMetrics metrics{registry};
  WriteGate gate{metrics.store_read_only()};
  FilesystemObjectStore store{*BlobDirectory::Open(temporary.path(), calls), &calls, &gate, &metrics};
};

INSTANTIATE_TEST_SUITE_P(Filesystem, ObjectStoreConformance, testing::Values([] {
                           auto disk = std::make_shared<StoreOnDisk>();
                           return std::shared_ptr<StagingObjectStore>(disk, &disk->store);
                         }));

INSTANTIATE_TEST_SUITE_P(FilesystemWithShortWritesAndInterruptions, ObjectStoreConformance, testing::Values([] {
                           auto disk = std::make_shared<StoreOnDisk>();
                           disk->calls.LimitWrites(70'001);
                           disk->calls.Interrupt();
                           return std::shared_ptr<StagingObjectStore>(disk, &disk->store);
                         }));

INSTANTIATE_TEST_SUITE_P(FilesystemWithoutRenameNoReplace, ObjectStoreConformance, testing::Values([] {
                           auto disk = std::make_shared<StoreOnDisk>();
                           disk->calls.Fail(Call::kRename, EINVAL);
                           return std::shared_ptr<StagingObjectStore>(disk, &disk->store);
                         }));

class FilesystemObjectStoreTest : public testing::Test {
 protected:
  std::unique_ptr<StagedUpload> Stage(absl::string_view bytes) {
    absl::StatusOr<std::unique_ptr<StagedUpload>> staged = disk_.store.OpenStaged(id_, 0, "");
    EXPECT_OK(staged);
    EXPECT_OK((*staged)->Append(bytes));
    return *std::move(staged);
  }
  bool IsReadOnly() { return disk_.metrics.store_read_only()->Value() == 1; }

  StoreOnDisk disk_;
  FaultySystemCalls& calls_ = disk_.calls;
  FilesystemObjectStore& store_ = disk_.store;
  const UploadId id_ = UploadId::Random();
  const StorageKey key_ = StagingObjectStore::KeyOf(id_);
};

TEST_F(FilesystemObjectStoreTest, SyncsTheBytesThenTheName) {
  const size_t before = calls_.Changes().size();
  ASSERT_OK(store_.Publish(id_, Stage("goods")));
  std::vector<Call> changes = calls_.Changes();
  changes.erase(changes.begin(), changes.begin() + static_cast<std::ptrdiff_t>(before));
  EXPECT_THAT(changes, ElementsAre(Call::kWrite, Call::kDataSync, Call::kRename, Call::kSync));
}

TEST_F(FilesystemObjectStoreTest, StartsWriteBackDuringTheUpload) {
  std::unique_ptr<StagedUpload> staged = Stage(std::string(9 << 20, 'x'));
  EXPECT_THAT(calls_.Changes(), testing::Contains(Call::kWriteBack));
  EXPECT_EQ(staged->size_bytes(), 9 << 20);
}

TEST_F(FilesystemObjectStoreTest, AFailedSyncOfTheBytesIsFinal) {
  std::unique_ptr<StagedUpload> staged = Stage("goods");
  calls_.Fail(Call::kDataSync, EIO, /*skip=*/0, /*times=*/1);
  EXPECT_THAT(store_.Publish(id_, std::move(staged)), IsOciError(OciErrorCode::kUnavailable));

  EXPECT_TRUE(IsReadOnly());
  EXPECT_THAT(store_.Open(key_), IsOciError(OciErrorCode::kBlobUnknown));
  EXPECT_THAT(store_.ListStaged(), IsOkAndHolds(IsEmpty()));
  EXPECT_THAT(store_.OpenStaged(id_, 0, ""), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(store_.CheckWritable().message(), HasSubstr("read-only: syncing an upload"));
}

TEST_F(FilesystemObjectStoreTest, AFailedSyncOfTheDirectoryRemovesTheName) {
  std::unique_ptr<StagedUpload> staged = Stage("goods");
  calls_.Fail(Call::kSync, EIO, /*skip=*/0, /*times=*/1);
  EXPECT_THAT(store_.Publish(id_, std::move(staged)), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_TRUE(IsReadOnly());
  EXPECT_THAT(store_.Open(key_), IsOciError(OciErrorCode::kBlobUnknown));
}

TEST_F(FilesystemObjectStoreTest, AFailedSyncKeepsAPublishedObject) {
  ASSERT_OK(store_.Publish(id_, Stage("goods")));
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> again, store_.OpenPublished(id_, 5));
  calls_.Fail(Call::kDataSync, EIO, /*skip=*/0, /*times=*/1);
  EXPECT_THAT(store_.Publish(id_, std::move(again)), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_OK(store_.Open(key_));
}

TEST_F(FilesystemObjectStoreTest, AReadOnlyStoreAllowsReadsOnly) {
  ASSERT_OK(store_.Publish(id_, Stage("goods")));
  disk_.gate.Close("a test");
  ASSERT_OK_AND_ASSIGN(const OpenObject object, store_.Open(key_));
  EXPECT_EQ(Contents(object), "goods");
  EXPECT_THAT(store_.Delete(key_), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(store_.OpenStaged(UploadId::Random(), 0, ""), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_OK(store_.Open(key_));
}

TEST_F(FilesystemObjectStoreTest, ADirectoryInItsPlaceTurnsTheStoreReadOnly) {
  ASSERT_OK(store_.Publish(id_, Stage("goods")));
  const std::string path = disk_.temporary.path();
  std::filesystem::rename(path, path + "-moved");
  std::filesystem::create_directory(path);
  EXPECT_THAT(store_.ReadOwner(), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(store_.OpenStaged(UploadId::Random(), 0, ""), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_TRUE(IsReadOnly());
  EXPECT_THAT(store_.Delete(key_), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(store_.Quarantine(key_), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(std::string(store_.CheckWritable().message()), HasSubstr("was replaced by another one"));
  EXPECT_OK(store_.Open(key_));
  std::filesystem::remove(path);
  std::filesystem::rename(path + "-moved", path);
}

TEST_F(FilesystemObjectStoreTest, AnIoErrorOnAWriteTurnsTheStoreReadOnly) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_.OpenStaged(id_, 0, ""));
  calls_.Fail(Call::kWrite, EIO, /*skip=*/0, /*times=*/1);
  EXPECT_THAT(staged->Append("goods"), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_TRUE(IsReadOnly());
  EXPECT_THAT(staged->Append("goods"), IsOciError(OciErrorCode::kUnavailable));
}

TEST_F(FilesystemObjectStoreTest, AFullDiskDoesNotTurnTheStoreReadOnly) {
  std::unique_ptr<StagedUpload> staged = Stage("01234");
  calls_.LimitWrites(3);
  calls_.Fail(Call::kWrite, ENOSPC, /*skip=*/1);
  absl::Status status = staged->Append("56789");
  EXPECT_THAT(status, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(status.message(), HasSubstr("No space left"));
  EXPECT_FALSE(IsReadOnly());
  EXPECT_EQ(staged->size_bytes(), 5);

  // The bytes of the failed write are cut off, and the upload continues.
  calls_.Heal();
  ASSERT_OK(staged->Append("x"));
  ASSERT_OK(store_.Publish(id_, std::move(staged)));
  ASSERT_OK_AND_ASSIGN(const OpenObject object, store_.Open(key_));
  EXPECT_EQ(Contents(object), "01234x");
}

TEST_F(FilesystemObjectStoreTest, AFailedWriteLeavesNoBytesBehindTheEnd) {
  std::unique_ptr<StagedUpload> staged = Stage("01234");
  calls_.LimitWrites(3);
  calls_.Fail(Call::kWrite, ENOSPC, /*skip=*/1);
  ASSERT_FALSE(staged->Append("56789").ok());
  calls_.Heal();
  ASSERT_OK(store_.Publish(id_, std::move(staged)));
  ASSERT_OK_AND_ASSIGN(const OpenObject object, store_.Open(key_));
  EXPECT_EQ(Contents(object), "01234");
}

TEST_F(FilesystemObjectStoreTest, AFullDiskAtTheSyncFailsTheUploadOnly) {
  std::unique_ptr<StagedUpload> staged = Stage("goods");
  calls_.Fail(Call::kDataSync, ENOSPC, /*skip=*/0, /*times=*/1);
  EXPECT_THAT(store_.Publish(id_, std::move(staged)), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_FALSE(IsReadOnly());
  EXPECT_THAT(store_.OpenStaged(id_, 5, ""), IsOciError(OciErrorCode::kBlobUploadUnknown));
}

TEST_F(FilesystemObjectStoreTest, AFullDiskAtTheRenameKeepsTheUpload) {
  std::unique_ptr<StagedUpload> staged = Stage("goods");
  calls_.Fail(Call::kRename, ENOSPC, /*skip=*/0, /*times=*/1);
  EXPECT_THAT(store_.Publish(id_, std::move(staged)), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_FALSE(IsReadOnly());
  ASSERT_OK_AND_ASSIGN(staged, store_.OpenStaged(id_, 5, ""));
  EXPECT_OK(store_.Publish(id_, std::move(staged)));
}

TEST_F(FilesystemObjectStoreTest, NeverReplacesAnObject) {
  ASSERT_OK(store_.Publish(id_, Stage("first")));
  EXPECT_FALSE(store_.Publish(id_, Stage("other")).ok());
  calls_.Fail(Call::kRename, ENOSYS);
  EXPECT_FALSE(store_.Publish(id_, Stage("other")).ok());
  ASSERT_OK_AND_ASSIGN(const OpenObject object, store_.Open(key_));
  EXPECT_EQ(Contents(object), "first");
}

TEST_F(FilesystemObjectStoreTest, RunningOutOfDescriptorsIsNotDataLoss) {
  ASSERT_OK(store_.Publish(id_, Stage("goods")));
  calls_.Fail(Call::kOpen, EMFILE);
  EXPECT_THAT(store_.Open(key_), IsOciError(OciErrorCode::kUnavailable));
  calls_.Heal();
  EXPECT_OK(store_.Open(key_));
  EXPECT_FALSE(IsReadOnly());
}

TEST_F(FilesystemObjectStoreTest, UnreadableBytesAreDataLoss) {
  std::unique_ptr<StagedUpload> staged = Stage("goods");
  calls_.Fail(Call::kRead, EIO);
  EXPECT_THAT(staged->Read([](absl::string_view) {}), StatusIs(absl::StatusCode::kDataLoss));
}

TEST_F(FilesystemObjectStoreTest, DeletesDurably) {
  ASSERT_OK(store_.Publish(id_, Stage("goods")));
  calls_.Fail(Call::kSync, EIO, /*skip=*/0, /*times=*/1);
  EXPECT_THAT(store_.Delete(key_), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_TRUE(IsReadOnly());
}

TEST_F(FilesystemObjectStoreTest, SyncsEachDirectoryOncePerBatch) {
  std::vector<StorageKey> keys;
  for (int i = 0; i < 20; ++i) {
    // Two directories.
    const UploadId id = *UploadId::Parse(absl::StrFormat("%02x%030x", 0xa0 + i % 2, i));
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_.OpenStaged(id, 0, ""));
    ASSERT_OK(store_.Publish(id, std::move(staged)));
    keys.push_back(StagingObjectStore::KeyOf(id));
  }
  const size_t before = calls_.Changes().size();
  for (const absl::Status& status : store_.DeleteAll(keys)) EXPECT_OK(status);
  std::vector<Call> changes = calls_.Changes();
  changes.erase(changes.begin(), changes.begin() + static_cast<std::ptrdiff_t>(before));
  EXPECT_EQ(std::count(changes.begin(), changes.end(), Call::kSync), 2);
  for (const StorageKey& key : keys) EXPECT_THAT(store_.Open(key), IsOciError(OciErrorCode::kBlobUnknown));
}

TEST_F(FilesystemObjectStoreTest, AFailedDeletionConcernsOnlyItsObject) {
  std::vector<StorageKey> keys;
  for (int i = 0; i < 3; ++i) {
    const UploadId id = UploadId::Random();
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_.OpenStaged(id, 0, ""));
    ASSERT_OK(store_.Publish(id, std::move(staged)));
    keys.push_back(StagingObjectStore::KeyOf(id));
  }
  calls_.Fail(Call::kUnlink, EACCES, /*skip=*/0, /*times=*/1);
  const std::vector<absl::Status> statuses = store_.DeleteAll(keys);
  EXPECT_EQ(std::count_if(statuses.begin(), statuses.end(), [](const absl::Status& s) { return s.ok(); }), 2);
  for (size_t i = 0; i < keys.size(); ++i) EXPECT_EQ(store_.Open(keys[i]).ok(), !statuses[i].ok());
  EXPECT_FALSE(IsReadOnly());
}

TEST_F(FilesystemObjectStoreTest, ListsOthersBesideWhatCannotBeRead) {
  const UploadId id = *UploadId::Parse(absl::StrFormat("bb%030x", 1));
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<StagedUpload> staged, store_.OpenStaged(id, 0, ""));
  ASSERT_OK(store_.Publish(id, std::move(staged)));
  // A file where a directory was: it cannot be listed by any user.
  const std::string broken = disk_.temporary.path() + "/objects/aa";
  ASSERT_EQ(::rmdir(broken.c_str()), 0);
  const OwnedFd file(::open(broken.c_str(), O_CREAT | O_WRONLY, 0600));
  ASSERT_OK_AND_ASSIGN(const ObjectList list, store_.List("", 10));
  ASSERT_EQ(list.objects.size(), 1u);
  EXPECT_EQ(list.objects[0].key, StagingObjectStore::KeyOf(id));
}

TEST_F(FilesystemObjectStoreTest, IgnoresOtherFilesInTheStagingDirectory) {
  const OwnedFd stranger(
      ::openat(AT_FDCWD, (disk_.temporary.path() + "/staging/lost+found").c_str(), O_CREAT | O_WRONLY, 0600));
  ASSERT_GE(stranger.get(), 0);
  EXPECT_THAT(store_.ListStaged(), IsOkAndHolds(IsEmpty()));
}

}  // namespace
}  // namespace entrepot::blob
