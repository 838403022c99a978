#include "services/ctl/testing/stopped_registry.h"

#include <filesystem>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "gtest/gtest.h"
#include "prometheus/registry.h"
#include "services/auth/records/auth_format.h"
#include "services/blob/blob_stack.h"
#include "services/core/digest.h"
#include "services/core/storage_key.h"
#include "services/core/time/clock.h"
#include "services/kv/record_io.h"
#include "services/kv/stack/kv_stack.h"
#include "services/manifest/records/catalog_format.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/manifest/records/review_queue.h"
#include "services/status/status_matchers.h"

namespace entrepot::ctl {
namespace {

std::unique_ptr<kv::KvStack> OpenKv(const std::string& data) {
  std::filesystem::create_directories(data);
  absl::StatusOr<std::unique_ptr<kv::KvStack>> kv =
      kv::KvStack::Open(data + "/kv", std::make_shared<prometheus::Registry>());
  EXPECT_OK(kv.status());
  return kv.ok() ? *std::move(kv) : nullptr;
}

void MakeBlobs(const std::string& data, kv::KvEngine* engine) {
  const SystemClock clock;
  blob::BlobStackOptions options;
  options.directory = data + "/blobs";
  options.uploads.mutable_session_lifetime()->set_seconds(3600);
  EXPECT_OK(blob::BlobStack::Open(options,
                                  {.kv = engine, .clock = &clock, .registry = std::make_shared<prometheus::Registry>()})
                .status());
}

}  // namespace

void MakeStandaloneDirectory(const std::string& data) {
  const std::unique_ptr<kv::KvStack> kv = OpenKv(data);
  ASSERT_NE(kv, nullptr);
  EXPECT_OK(manifest::EnsureFormat(*kv->engine()));
  MakeBlobs(data, kv->engine());
}

void MakeManifestDirectory(const std::string& data) {
  const std::unique_ptr<kv::KvStack> kv = OpenKv(data);
  ASSERT_NE(kv, nullptr);
  EXPECT_OK(manifest::EnsureFormat(*kv->engine()));
}

void MakeBlobDirectory(const std::string& data) {
  const std::unique_ptr<kv::KvStack> kv = OpenKv(data);
  ASSERT_NE(kv, nullptr);
  MakeBlobs(data, kv->engine());
}

void MakeAuthDirectory(const std::string& data) {
  const std::unique_ptr<kv::KvStack> kv = OpenKv(data);
  ASSERT_NE(kv, nullptr);
  EXPECT_OK(auth::EnsureFormat(*kv->engine()));
}

std::string WriteDamagedBlobRecord(const std::string& data) {
  const std::string digest = "sha256:" + std::string(64, 'a');
  const std::unique_ptr<kv::KvStack> kv = OpenKv(data);
  if (kv == nullptr) return digest;
  const std::string key = "b/" + digest;
  EXPECT_OK(kv->engine()->Transact({{key}}, [&](kv::KvTransaction& transaction) {
    transaction.Put(key, "");
    return absl::OkStatus();
  }));
  return digest;
}

std::string WriteRecordOfMissingBlob(const std::string& data) {
  const std::string digest = "sha256:" + std::string(64, 'b');
  const absl::Time due = absl::FromUnixSeconds(4'000'000'000);
  storage::v1::BlobRecord record;
  record.set_state(storage::v1::BlobRecord::LIVE);
  record.set_generation(1);
  record.set_storage_key(StorageKey::Random(StorageTier::kFile).ToString());
  record.set_size_bytes(100'000);
  const std::unique_ptr<kv::KvStack> kv = OpenKv(data);
  if (kv == nullptr) return digest;
  const std::string key = manifest::keys::Blob(*Digest::Parse(digest));
  EXPECT_OK(kv->engine()->Transact({{key}}, [&](kv::KvTransaction& transaction) {
    manifest::EnsureQueued(transaction, *Digest::Parse(digest), due, &record);
    kv::WriteRecord(transaction, key, record);
    return absl::OkStatus();
  }));
  return digest;
}

}  // namespace entrepot::ctl
