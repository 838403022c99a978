#include "services/blob/blob_backups.h"

#include <array>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/blob/blob_stack.h"
#include "services/blob/io/faulty_system_calls.h"
#include "services/core/content.h"
#include "services/core/digester.h"
#include "services/core/time/eventually.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/stack/kv_stack.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/runtime/config/config_defaults.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Call = FaultySystemCalls::Call;

// A store in a data directory, as in a process of its own.
class Store {
 public:
  Store(const std::string& data, const Clock* clock, SystemCalls* calls = SystemCalls::Default()) {
    kv_ = *kv::KvStack::Open(data + "/kv", registry_);
    BlobStackOptions options;
    options.directory = data + "/blobs";
    runtime::FillDefaults(&options.uploads);
    options.upkeep_interval = absl::Hours(1);
    options.snapshot_kv = [this](const std::string& directory) { return kv_->Snapshot(directory); };
    stack_ = *BlobStack::Open(options, {kv_->engine(), clock, registry_, calls});
  }

  Blob Put(const std::string& bytes) {
    UploadSessions& sessions = stack_->upload_sessions();
    const UploadId id = sessions.Start(owner_, DigestAlgorithm::kSha256)->id;
    std::unique_ptr<UploadAppender> appender = *sessions.Append(owner_, id, {});
    EXPECT_OK(appender->Append(bytes));
    Blob sealed = *appender->FinishAndSeal(ComputeDigest(DigestAlgorithm::kSha256, bytes));
    EXPECT_OK(sessions.Forget(owner_, id));
    return {sealed.digest, sealed.size_bytes, sealed.storage_key};
  }

  BlobStorage& objects() { return stack_->storage(); }

 private:
  const UploadOwner owner_{.repository = *RepositoryName::Parse("a"), .account = ""};
  std::shared_ptr<prometheus::Registry> registry_ = std::make_shared<prometheus::Registry>();
  std::unique_ptr<kv::KvStack> kv_;
  std::unique_ptr<BlobStack> stack_;
};

constexpr size_t kSmall = 1'000;
constexpr size_t kLarge = 100'000;

class BlobBackupsTest : public testing::Test {
 protected:
  std::string BackupOf(const std::string& name) const { return absl::StrCat(data_, "/backups/", name); }

  std::vector<std::string> Backups() const {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry : std::filesystem::directory_iterator(data_ + "/backups", error)) {
      names.push_back(entry.path().filename());
    }
    return names;
  }

  kv::TemporaryDirectory directory_;
  const std::string data_ = directory_.path() + "/data";
  FakeClock clock_;
  FaultySystemCalls calls_;
};

TEST_F(BlobBackupsTest, ABackupOpensLikeTheStore) {
  std::vector<Blob> before;
  {
    Store store(data_, &clock_);
    for (int i = 0; i < 3; ++i) {
      before.push_back(store.Put(std::string(kSmall, static_cast<char>('a' + i))));
      before.push_back(store.Put(std::string(kLarge, static_cast<char>('a' + i))));
    }
    ASSERT_OK_AND_ASSIGN(const ObjectSnapshot snapshot, store.objects().Snapshot("one"));
    EXPECT_EQ(snapshot.objects, 3);
    EXPECT_EQ(snapshot.object_bytes, 3 * kLarge);
    EXPECT_EQ(snapshot.directory, std::filesystem::path(BackupOf("one")).lexically_normal());
    // Later changes of the store do not affect the backup.
    for (const Blob& blob : before) EXPECT_OK(store.objects().Delete(blob.storage_key));
  }
  Store restored(BackupOf("one"), &clock_);
  for (const Blob& blob : before) EXPECT_OK(restored.objects().Verify(blob, 0));
  const Blob later = restored.Put(std::string(kLarge, 'z'));
  EXPECT_OK(restored.objects().Verify(later, 0)) << "the restored store is independent";
}

TEST_F(BlobBackupsTest, HalvesOfDifferentBackupsDoNotOpen) {
  Store store(data_, &clock_);
  ASSERT_OK(store.objects().Snapshot("one"));
  std::filesystem::remove(BackupOf("one") + "/blobs/store_id");
  const std::unique_ptr<kv::KvStack> kv =
      *kv::KvStack::Open(BackupOf("one") + "/kv", std::make_shared<prometheus::Registry>());
  BlobStackOptions options;
  options.directory = BackupOf("one") + "/blobs";
  runtime::FillDefaults(&options.uploads);
  EXPECT_THAT(BlobStack::Open(options, {kv->engine(), &clock_, std::make_shared<prometheus::Registry>()}),
              StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(BlobBackupsTest, ContainsAllEarlierObjectsOfConcurrentWriters) {
  constexpr int kWriters = 3;
  std::array<std::vector<Blob>, kWriters> stored;
  std::array<std::atomic<size_t>, kWriters> acknowledged{};
  std::vector<Blob> before;
  {
    Store store(data_, &clock_);
    std::atomic<bool> stop{false};
    for (std::vector<Blob>& blobs : stored) blobs.reserve(100'000);
    std::vector<std::thread> writers;
    for (int w = 0; w < kWriters; ++w) {
      writers.emplace_back([&, w] {
        for (int i = 0; !stop; ++i) {
          stored[w].push_back(store.Put(absl::StrCat(std::string(i % 2 ? kSmall : kLarge, 'x'), w, "/", i)));
          acknowledged[w] = stored[w].size();
        }
      });
    }
    for (std::atomic<size_t>& count : acknowledged) {
      EXPECT_TRUE(Eventually([&] { return count >= 6; }));
    }
    std::array<size_t, kWriters> counts;
    for (int w = 0; w < kWriters; ++w) counts[w] = acknowledged[w];
    EXPECT_OK(store.objects().Snapshot("busy"));
    stop = true;
    for (std::thread& writer : writers) writer.join();
    for (int w = 0; w < kWriters; ++w) {
      for (size_t i = 0; i < counts[w]; ++i) before.push_back(stored[w][i]);
    }
  }
  Store restored(BackupOf("busy"), &clock_);
  for (const Blob& blob : before) EXPECT_OK(restored.objects().Verify(blob, 0));
}

TEST_F(BlobBackupsTest, RefusesAnExistingName) {
  Store store(data_, &clock_);
  ASSERT_OK(store.objects().Snapshot("one"));
  EXPECT_THAT(store.objects().Snapshot("one"), StatusIs(absl::StatusCode::kAlreadyExists));
  EXPECT_THAT(store.objects().Snapshot("../one"), StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_THAT(Backups(), ElementsAre("one"));
}

TEST_F(BlobBackupsTest, CopiesFilesIfLinksFail) {
  Blob blob{ComputeDigest(DigestAlgorithm::kSha256, ""), 0, StorageKey::Random(StorageTier::kFile)};
  {
    Store store(data_, &clock_, &calls_);
    blob = store.Put(std::string(3'000'001, 'a'));
    calls_.Fail(Call::kLink, EXDEV);
    ASSERT_OK_AND_ASSIGN(const ObjectSnapshot snapshot, store.objects().Snapshot("one"));
    EXPECT_EQ(snapshot.object_bytes, 3'000'001);
  }
  Store restored(BackupOf("one"), &clock_);
  EXPECT_OK(restored.objects().Verify(blob, 0));
}

TEST_F(BlobBackupsTest, AFailedBackupLeavesNothingBehind) {
  Store store(data_, &clock_, &calls_);
  store.Put(std::string(kLarge, 'a'));
  for (Call call : {Call::kLink, Call::kSync, Call::kWrite}) {
    calls_.Fail(call, ENOSPC);
    EXPECT_THAT(store.objects().Snapshot("one"), IsOciError(OciErrorCode::kUnavailable));
    calls_.Heal();
    EXPECT_THAT(Backups(), IsEmpty());
  }
  EXPECT_OK(store.objects().Snapshot("one"));
}

TEST_F(BlobBackupsTest, RestartsAnInterruptedBackup) {
  Store store(data_, &clock_);
  std::filesystem::create_directories(data_ + "/backups/.one.partial/blobs/objects/00/strange");
  ASSERT_OK(store.objects().Snapshot("one"));
  EXPECT_THAT(Backups(), ElementsAre("one"));
  EXPECT_FALSE(std::filesystem::exists(BackupOf("one") + "/blobs/objects/00/strange"));
}

}  // namespace
}  // namespace entrepot::blob
