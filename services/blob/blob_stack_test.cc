#include "services/blob/blob_stack.h"

#include <atomic>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "prometheus/text_serializer.h"
#include "services/blob/io/faulty_system_calls.h"
#include "services/blob/objects/object_store_conformance.h"
#include "services/core/content.h"
#include "services/core/digester.h"
#include "services/core/time/fake_clock.h"
#include "services/kv/memory_kv_engine.h"
#include "services/kv/stack/kv_stack.h"
#include "services/kv/testing/temporary_directory.h"
#include "services/runtime/config/config_defaults.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::blob {
namespace {

using Call = FaultySystemCalls::Call;
using testing::HasSubstr;

class BlobStackTest : public testing::Test {
 protected:
  absl::StatusOr<std::unique_ptr<BlobStack>> Open(kv::KvEngine& kv) {
    registry_ = std::make_shared<prometheus::Registry>();
    BlobStackOptions options;
    options.directory = Path();
    runtime::FillDefaults(&options.uploads);
    options.upkeep_interval = absl::Hours(1);
    BlobStackParts parts;
    parts.kv = &kv;
    parts.clock = &clock_;
    parts.registry = registry_;
    parts.system_calls = &calls_;
    return BlobStack::Open(options, parts);
  }

  std::string Path() const { return directory_.path() + "/data/blobs"; }
  std::string Metrics() const { return prometheus::TextSerializer().Serialize(registry_->Collect()); }

  absl::StatusOr<Blob> Push(BlobStack& stack, const std::string& bytes) {
    absl::StatusOr<Upload> upload = stack.upload_sessions().Start(owner_, DigestAlgorithm::kSha256);
    if (!upload.ok()) return upload.status();
    absl::StatusOr<std::unique_ptr<UploadAppender>> appender = stack.upload_sessions().Append(owner_, upload->id, {});
    if (!appender.ok()) return appender.status();
    if (absl::Status status = (*appender)->Append(bytes); !status.ok()) return status;
    return (*appender)->FinishAndSeal(ComputeDigest(DigestAlgorithm::kSha256, bytes));
  }

  const UploadOwner owner_ = {.repository = *RepositoryName::Parse("team/app"), .account = "ada"};
  kv::TemporaryDirectory directory_;
  kv::MemoryKvEngine kv_;
  FakeClock clock_;
  FaultySystemCalls calls_;
  std::shared_ptr<prometheus::Registry> registry_;
};

TEST_F(BlobStackTest, MakesItsDirectoriesAndReopensThem) {
  StorageKey key = StorageKey::Random(StorageTier::kKv);
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobStack> stack, Open(kv_));
    EXPECT_OK(stack->Checks()[0].check());
    ASSERT_OK_AND_ASSIGN(const Blob sealed, Push(*stack, "goods"));
    key = sealed.storage_key;
  }
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobStack> stack, Open(kv_));
  ASSERT_OK_AND_ASSIGN(const OpenObject object, stack->objects().Open(key));
  EXPECT_EQ(Contents(object), "goods");
}

TEST_F(BlobStackTest, PushesTheSameBytesConcurrently) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<kv::KvStack> kv,
                       kv::KvStack::Open(directory_.path() + "/kv", std::make_shared<prometheus::Registry>()));
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobStack> stack, Open(*kv->engine()));
  for (const std::string& bytes : {std::string(4'096, 's'), std::string(300'000, 'l')}) {
    std::vector<absl::StatusOr<Blob>> results(100, absl::UnknownError("not run"));
    std::vector<std::thread> threads;
    for (auto& result : results) threads.emplace_back([&] { result = Push(*stack, bytes); });
    for (std::thread& thread : threads) thread.join();
    std::set<StorageKey> keys;
    for (const auto& result : results) {
      ASSERT_OK(result);
      keys.insert(result->storage_key);
      ASSERT_OK_AND_ASSIGN(const OpenObject object, stack->objects().Open(result->storage_key));
      EXPECT_TRUE(Contents(object) == bytes);
    }
    EXPECT_EQ(keys.size(), 100);
  }
}

TEST_F(BlobStackTest, ManyAppendersOfOneSessionTakeTurns) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobStack> stack, Open(kv_));
  ASSERT_OK_AND_ASSIGN(const Upload upload, stack->upload_sessions().Start(owner_, DigestAlgorithm::kSha256));
  std::atomic<int> appended{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] {
      for (int j = 0; j < 50; ++j) {
        auto appender = stack->upload_sessions().Append(owner_, upload.id, {});
        if (!appender.ok()) {
          EXPECT_THAT(appender, IsOciError(OciErrorCode::kRangeInvalid));
          continue;
        }
        EXPECT_OK((*appender)->Append(std::string(10'000, 'x')));
        ++appended;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  const std::string expected(static_cast<size_t>(appended) * 10'000, 'x');
  EXPECT_OK(stack->upload_sessions().Seal(owner_, upload.id, ComputeDigest(DigestAlgorithm::kSha256, expected)));
}

TEST_F(BlobStackTest, AFailedSyncTurnsTheStoreReadOnlyUntilReopened) {
  const std::string bytes(100'000, 'b');
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobStack> stack, Open(kv_));
  ASSERT_OK_AND_ASSIGN(const Blob before, Push(*stack, bytes));
  ASSERT_OK_AND_ASSIGN(const Blob small, Push(*stack, "small"));
  calls_.Fail(Call::kDataSync, EIO, /*skip=*/0, /*times=*/1);
  EXPECT_THAT(Push(*stack, bytes), IsOciError(OciErrorCode::kUnavailable));

  EXPECT_THAT(Metrics(), HasSubstr("entrepot_store_read_only 1"));
  EXPECT_THAT(Push(*stack, bytes), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(Push(*stack, "small"), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(stack->objects().Delete(small.storage_key), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_OK(stack->objects().Open(before.storage_key));
  EXPECT_OK(stack->objects().Open(small.storage_key));
  EXPECT_OK(stack->Checks()[0].check());
  EXPECT_THAT(stack->Checks()[1].check(), IsOciError(OciErrorCode::kUnavailable));

  stack.reset();
  ASSERT_OK_AND_ASSIGN(stack, Open(kv_));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_store_read_only 0"));
  EXPECT_OK(Push(*stack, bytes));
  EXPECT_TRUE(std::filesystem::is_empty(Path() + "/staging"));
}

TEST_F(BlobStackTest, AcceptsUploadsOnceThereIsSpace) {
  const std::string bytes(100'000, 'b');
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobStack> stack, Open(kv_));
  calls_.Fail(Call::kWrite, ENOSPC);
  absl::StatusOr<Blob> failed = Push(*stack, bytes);
  EXPECT_THAT(failed, IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(failed.status().message(), HasSubstr("No space left on device"));
  calls_.Heal();
  EXPECT_OK(Push(*stack, bytes));
  EXPECT_THAT(Metrics(), HasSubstr("entrepot_store_read_only 0"));
}

TEST_F(BlobStackTest, RefusesUploadsBelowTheReserve) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobStack> stack, Open(kv_));
  ASSERT_OK_AND_ASSIGN(const Upload upload, stack->upload_sessions().Start(owner_, DigestAlgorithm::kSha256));
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> appender,
                       stack->upload_sessions().Append(owner_, upload.id, {}));
  const std::string bytes(100'000, 'b');
  ASSERT_OK(appender->Append(bytes));
  EXPECT_OK(stack->Checks()[1].check());
  calls_.FillDisk(true);
  EXPECT_THAT(stack->Checks()[1].check(), IsOciError(OciErrorCode::kUnavailable));
  EXPECT_THAT(Push(*stack, "small"), IsOciError(OciErrorCode::kUnavailable));
  // Sealing existing bytes needs little space, so it is allowed.
  EXPECT_OK(appender->FinishAndSeal(ComputeDigest(DigestAlgorithm::kSha256, bytes)));
  calls_.FillDisk(false);
  EXPECT_OK(Push(*stack, "small"));
}

TEST_F(BlobStackTest, AFailedAppendFreesItsSpace) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobStack> stack, Open(kv_));
  for (const size_t before : {0UL, 10UL, 100'000UL}) {
    ASSERT_OK_AND_ASSIGN(const Upload upload, stack->upload_sessions().Start(owner_, DigestAlgorithm::kSha256));
    const std::string kept(before, 'k');
    {
      ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> appender,
                           stack->upload_sessions().Append(owner_, upload.id, {}));
      ASSERT_OK(appender->Append(kept));
      ASSERT_OK(appender->Finish());
    }
    {
      ASSERT_OK_AND_ASSIGN(std::unique_ptr<UploadAppender> appender,
                           stack->upload_sessions().Append(owner_, upload.id, {}));
      // Enough for a save during the append.
      for (int i = 0; i < 20; ++i) ASSERT_OK(appender->Append(std::string(1 << 20, 'x')));
      calls_.FillDisk(true);
      EXPECT_THAT(appender->Append("x"), IsOciError(OciErrorCode::kUnavailable));
      EXPECT_THAT(appender->Append("x"), IsOciError(OciErrorCode::kUnavailable));
      EXPECT_THAT(appender->Finish(), IsOciError(OciErrorCode::kUnavailable));
    }
    calls_.FillDisk(false);
    const std::string path = absl::StrCat(Path(), "/staging/", upload.id.ToString());
    if (before < 100'000) {
      EXPECT_FALSE(std::filesystem::exists(path));
    } else {
      EXPECT_EQ(std::filesystem::file_size(path), before);
    }
    stack.reset();
    ASSERT_OK_AND_ASSIGN(stack, Open(kv_));
    EXPECT_EQ(stack->upload_sessions().Get(owner_, upload.id)->offset_bytes, before);
    EXPECT_OK(stack->upload_sessions().Seal(owner_, upload.id, ComputeDigest(DigestAlgorithm::kSha256, kept)));
  }
}

TEST_F(BlobStackTest, RefusesADirectoryThatCannotBeSynced) {
  calls_.Fail(Call::kSync, EIO);
  EXPECT_THAT(Open(kv_), StatusIs(absl::StatusCode::kUnavailable));
}

TEST_F(BlobStackTest, RefusesAnEmptyDirectoryOfAUsedDatabase) {
  { ASSERT_OK(Open(kv_)); }
  std::filesystem::remove_all(Path());
  absl::StatusOr<std::unique_ptr<BlobStack>> stack = Open(kv_);
  EXPECT_THAT(stack, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(stack.status().message(), HasSubstr("is its volume mounted?"));
}

TEST_F(BlobStackTest, RefusesAnEmptyDatabaseOfAUsedDirectory) {
  {
    ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobStack> stack, Open(kv_));
    ASSERT_OK(Push(*stack, std::string(100'000, 'b')));
  }
  kv::MemoryKvEngine other;
  EXPECT_THAT(Open(other), StatusIs(absl::StatusCode::kFailedPrecondition));
}

TEST_F(BlobStackTest, AnUnknownFormatIsRefused) {
  { ASSERT_OK(Open(kv_)); }
  // Field 1 is 2.
  ASSERT_OK(kv_.Transact(
      {},
      [](kv::KvTransaction& transaction) {
        transaction.Put("f/blob", "\x08\x02");
        return absl::OkStatus();
      },
      kv::Durability::kSynced));
  absl::StatusOr<std::unique_ptr<BlobStack>> stack = Open(kv_);
  EXPECT_THAT(stack, StatusIs(absl::StatusCode::kFailedPrecondition));
  EXPECT_THAT(stack.status().message(), HasSubstr("format 2"));
}

TEST_F(BlobStackTest, RecoversFromAnInterruptedFirstStart) {
  { ASSERT_OK(Open(kv_)); }
  kv::MemoryKvEngine without_the_record;
  EXPECT_OK(Open(without_the_record));
}

TEST_F(BlobStackTest, UpdatesItsMetrics) {
  ASSERT_OK_AND_ASSIGN(std::unique_ptr<BlobStack> stack, Open(kv_));
  ASSERT_OK_AND_ASSIGN(const Blob sealed, Push(*stack, std::string(100'000, 'b')));
  ASSERT_OK(Push(*stack, "small"));
  ASSERT_OK_AND_ASSIGN(const Upload open, stack->upload_sessions().Start(owner_, DigestAlgorithm::kSha256));
  EXPECT_THAT(stack->upload_sessions().Seal(owner_, open.id, sealed.digest), IsOciError(OciErrorCode::kDigestInvalid));
  ASSERT_OK(stack->upload_sessions().Start(owner_, DigestAlgorithm::kSha256));
  const std::string metrics = Metrics();
  EXPECT_THAT(metrics, HasSubstr("entrepot_uploads_total{result=\"sealed\"} 2"));
  EXPECT_THAT(metrics, HasSubstr("entrepot_uploads_total{result=\"digest_mismatch\"} 1"));
  EXPECT_THAT(metrics, HasSubstr("entrepot_digest_mismatch_total 1"));
  EXPECT_THAT(metrics, HasSubstr("entrepot_upload_sessions 1"));
  EXPECT_THAT(metrics, HasSubstr("entrepot_blob_size_bytes_count 2"));
  EXPECT_THAT(metrics, HasSubstr("entrepot_fsync_duration_seconds_count 2"));
  EXPECT_THAT(metrics, HasSubstr("entrepot_blob_store_operation_duration_seconds_count{"
                                 "backend=\"filesystem\",op=\"publish\",result=\"ok\"} 1"));
}

}  // namespace
}  // namespace entrepot::blob
