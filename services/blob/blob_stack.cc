#include "services/blob/blob_stack.h"

#include <filesystem>
#include <string>
#include <utility>

#include "services/blob/blob_backups.h"
#include "services/blob/io/disk_space.h"
#include "services/blob/io/write_gate.h"
#include "services/blob/objects/blob_directory.h"
#include "services/blob/objects/blob_keys.h"
#include "services/blob/objects/blob_metrics.h"
#include "services/blob/objects/filesystem_object_store.h"
#include "services/blob/objects/kv_object_tier.h"
#include "services/blob/objects/store_format.h"
#include "services/blob/objects/tiered_object_reader.h"
#include "services/blob/objects/verified_objects.h"
#include "services/blob/sessions/kv_upload_sessions.h"
#include "services/blob/stored_object_access.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/threads/periodic_task.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

constexpr size_t kExpiredPerBite = 64;

class LocalBlobStack : public BlobStack {
 public:
  LocalBlobStack(const BlobStackOptions& options, const BlobStackParts& parts, std::unique_ptr<BlobDirectory> directory)
      : kv_(*parts.kv),
        calls_(*parts.system_calls),
        registry_(parts.registry),
        metrics_(*registry_),
        gate_(metrics_.store_read_only()),
        directory_(std::move(directory)),
        files_(directory_.get(), parts.system_calls, &gate_, &metrics_),
        values_(parts.kv, options.object_durability, &metrics_),
        reader_(&files_, &values_, &gate_),
        verified_(parts.clock),
        reads_(&reader_, &verified_, parts.system_calls, &metrics_),
        backups_(BackupDirectory(options), options.snapshot_kv, directory_.get(), parts.system_calls),
        sessions_(SessionOptions(options, &verified_), parts.kv, &files_, &reader_, parts.clock, &metrics_),
        access_({.files = &files_,
                 .values = &values_,
                 .gate = &gate_,
                 .sessions = &sessions_,
                 .clock = parts.clock,
                 .verified = &verified_,
                 .snapshot = [this](const std::string& name) { return backups_.Take(name); }}) {}

  absl::Status Start(absl::Duration upkeep_interval) {
    RETURN_IF_ERROR(sessions_.Recover());
    upkeep_ = std::make_unique<runtime::PeriodicTask>(upkeep_interval, [this] { Upkeep(); });
    return absl::OkStatus();
  }

  UploadSessions& upload_sessions() override { return sessions_; }
  ObjectReader& object_reader() override { return reader_; }
  VerifiedReads& reads() override { return reads_; }
  ObjectAccess& object_access() override { return access_; }
  absl::Status CheckReady() override { return kv_.Get(kFormatKey).status(); }

 private:
  static KvUploadSessions::Options SessionOptions(const BlobStackOptions& options, VerifiedObjects* verified) {
    return {.lifetime = runtime::ToDuration(options.uploads.session_lifetime()),
            .open_max = options.uploads.sessions_max(),
            .object_durability = options.object_durability,
            .verified = verified};
  }

  static std::string BackupDirectory(const BlobStackOptions& options) {
    return std::filesystem::absolute(options.directory).lexically_normal().parent_path() / "backups";
  }

  void Upkeep() {
    while (sessions_.EndExpired(kExpiredPerBite) == kExpiredPerBite) {
    }
    sessions_.FlushForgotten().IgnoreError();
    metrics_.upload_oldest_age()->Set(absl::ToDoubleSeconds(sessions_.OldestAge()));
    const absl::StatusOr<DiskSpace> space = GetDiskSpace(calls_, directory_->root());
    if (!space.ok()) return;
    metrics_.storage_used()->Set(static_cast<double>(space->used_bytes));
    metrics_.storage_free()->Set(static_cast<double>(space->free_bytes));
  }

  kv::KvEngine& kv_;
  SystemCalls& calls_;
  const std::shared_ptr<prometheus::Registry> registry_;
  BlobMetrics metrics_;
  WriteGate gate_;
  const std::unique_ptr<BlobDirectory> directory_;
  FilesystemObjectStore files_;
  KvObjectTier values_;
  TieredObjectReader reader_;
  VerifiedObjects verified_;
  VerifiedReads reads_;
  BlobBackups backups_;
  KvUploadSessions sessions_;
  StoredObjectAccess access_;
  std::unique_ptr<runtime::PeriodicTask> upkeep_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<BlobStack>> BlobStack::Open(const BlobStackOptions& options,
                                                           const BlobStackParts& parts) {
  ASSIGN_OR_RETURN(std::unique_ptr<BlobDirectory> directory,
                   BlobDirectory::Open(options.directory, *parts.system_calls));
  RETURN_IF_ERROR(CheckStoreFormat(*parts.kv, *directory, *parts.system_calls));
  auto stack = std::make_unique<LocalBlobStack>(options, parts, std::move(directory));
  RETURN_IF_ERROR(stack->Start(options.upkeep_interval));
  return stack;
}

}  // namespace entrepot::blob
