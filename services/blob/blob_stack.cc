#include "services/blob/blob_stack.h"

#include <filesystem>
#include <string>
#include <utility>

#include "services/blob/blob_backups.h"
#include "services/blob/io/write_gate.h"
#include "services/blob/local_blob_storage.h"
#include "services/blob/objects/blob_directory.h"
#include "services/blob/objects/blob_keys.h"
#include "services/blob/objects/blob_metrics.h"
#include "services/blob/objects/filesystem_object_store.h"
#include "services/blob/objects/kv_object_store.h"
#include "services/blob/objects/store_format.h"
#include "services/blob/objects/tiered_object_store.h"
#include "services/blob/objects/verification_cache.h"
#include "services/blob/s3/open_s3_store.h"
#include "services/blob/sessions/kv_upload_sessions.h"
#include "services/blob/sessions/managed_upload_sessions.h"
#include "services/blob/sessions/shared_upload_sessions.h"
#include "services/runtime/config/config_defaults.h"
#include "services/runtime/threads/periodic_task.h"
#include "services/status/status_macros.h"

namespace entrepot::blob {
namespace {

// The parts that must exist before the store for large objects is opened.
struct Instruments {
  explicit Instruments(std::shared_ptr<prometheus::Registry> registry)
      : registry(std::move(registry)), metrics(*this->registry), gate(metrics.store_read_only()) {}

  const std::shared_ptr<prometheus::Registry> registry;
  BlobMetrics metrics;
  WriteGate gate;
};

// The one place that decides which store keeps large objects (objects/object_store.h).
absl::StatusOr<std::unique_ptr<StagingObjectStore>> OpenObjectStore(const BlobStackOptions& options,
                                                                    const BlobStackParts& parts,
                                                                    Instruments* instruments) {
  if (options.objects.has_s3()) {
    return s3::OpenS3Store(options.objects.s3(),
                           {.kv = parts.kv,
                            .clock = parts.clock,
                            .session_lifetime = runtime::ToDuration(options.uploads.session_lifetime()),
                            .registry = instruments->registry,
                            .metrics = &instruments->metrics});
  }
  ASSIGN_OR_RETURN(std::unique_ptr<BlobDirectory> directory,
                   BlobDirectory::Open(options.directory, *parts.system_calls));
  RETURN_IF_ERROR(CheckStoreFormat(*parts.kv, *directory, *parts.system_calls));
  return std::make_unique<FilesystemObjectStore>(std::move(directory), parts.system_calls, &instruments->gate,
                                                 &instruments->metrics);
}

class LocalBlobStack : public BlobStack {
 public:
  LocalBlobStack(const BlobStackOptions& options, const BlobStackParts& parts, std::unique_ptr<Instruments> instruments,
                 std::unique_ptr<StagingObjectStore> files)
      : kv_(*parts.kv),
        instruments_(std::move(instruments)),
        metrics_(instruments_->metrics),
        files_(std::move(files)),
        values_(parts.kv, options.object_durability, &metrics_),
        objects_(files_.get(), &values_, &instruments_->gate),
        verified_(parts.clock),
        reader_(&objects_, &verified_, parts.system_calls, &metrics_),
        backups_(BackupDirectory(options), options.snapshot_kv, files_.get()),
        sessions_(MakeSessions(options, parts)),
        storage_({.objects = &objects_,
                  .files = files_.get(),
                  .sessions = sessions_.get(),
                  .clock = parts.clock,
                  .verified = &verified_,
                  .snapshot = [this](const std::string& name) { return backups_.Make(name); }}) {}

  absl::Status Start(absl::Duration upkeep_interval) {
    RETURN_IF_ERROR(sessions_->Recover());
    upkeep_ = std::make_unique<runtime::PeriodicTask>(upkeep_interval, [this] { Upkeep(); });
    // A thread of its own, because upkeep may wait for the store.
    if (files_->shared()) {
      renewals_ = std::make_unique<runtime::PeriodicTask>(ManagedUploadSessions::kRenewalInterval,
                                                          [this] { sessions_->RenewClaims(); });
    }
    return absl::OkStatus();
  }

  UploadSessions& upload_sessions() override { return *sessions_; }
  ObjectStore& objects() override { return objects_; }
  VerifiedReader& reader() override { return reader_; }
  BlobStorage& storage() override { return storage_; }
  std::vector<runtime::HealthCheck> Checks() override {
    return {{.name = "blob store",
             .without = runtime::Readiness::kNone,
             .check = [this] { return kv_.Get(kFormatKey).status(); }},
            {.name = "blob store writes", .without = runtime::Readiness::kPulls, .check = [this] {
               return CheckWritable();
             }}};
  }

 private:
  // Other replicas go on with uploads whose staged bytes they can read.
  std::unique_ptr<ManagedUploadSessions> MakeSessions(const BlobStackOptions& options, const BlobStackParts& parts) {
    const SessionLimits limits{.open_max = options.uploads.sessions_max(),
                               .share_max = options.uploads.sessions_per_account_max(),
                               .lifetime = runtime::ToDuration(options.uploads.session_lifetime())};
    if (files_->shared()) {
      return std::make_unique<SharedUploadSessions>(
          SharedUploadSessions::Options{.limits = limits, .object_durability = options.object_durability}, parts.kv,
          files_.get(), &objects_, parts.clock, &metrics_);
    }
    return std::make_unique<KvUploadSessions>(
        KvUploadSessions::Options{
            .limits = limits, .object_durability = options.object_durability, .verified = &verified_},
        parts.kv, files_.get(), &objects_, parts.clock, &metrics_);
  }

  static std::string BackupDirectory(const BlobStackOptions& options) {
    return std::filesystem::absolute(options.directory).lexically_normal().parent_path() / "backups";
  }

  absl::Status CheckWritable() {
    RETURN_IF_ERROR(files_->CheckWritable());
    RETURN_IF_ERROR(files_->CheckSpace());
    return files_->CheckServer();
  }

  void Upkeep() {
    sessions_->EndExpired();
    sessions_->FlushForgotten().IgnoreError();
    metrics_.upload_oldest_age()->Set(absl::ToDoubleSeconds(sessions_->OldestAge()));
    const absl::StatusOr<DiskSpace> space = files_->Space();
    if (!space.ok()) return;
    metrics_.storage_used()->Set(static_cast<double>(space->used_bytes));
    metrics_.storage_free()->Set(static_cast<double>(space->free_bytes));
  }

  kv::KvEngine& kv_;
  const std::unique_ptr<Instruments> instruments_;
  BlobMetrics& metrics_;
  const std::unique_ptr<StagingObjectStore> files_;
  KvObjectStore values_;
  TieredObjectStore objects_;
  VerificationCache verified_;
  VerifiedReader reader_;
  BlobBackups backups_;
  const std::unique_ptr<ManagedUploadSessions> sessions_;
  LocalBlobStorage storage_;
  std::unique_ptr<runtime::PeriodicTask> upkeep_;
  std::unique_ptr<runtime::PeriodicTask> renewals_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<BlobStack>> BlobStack::Open(const BlobStackOptions& options,
                                                           const BlobStackParts& parts) {
  auto instruments = std::make_unique<Instruments>(parts.registry);
  ASSIGN_OR_RETURN(std::unique_ptr<StagingObjectStore> files, OpenObjectStore(options, parts, instruments.get()));
  auto stack = std::make_unique<LocalBlobStack>(options, parts, std::move(instruments), std::move(files));
  RETURN_IF_ERROR(stack->Start(options.upkeep_interval));
  return stack;
}

}  // namespace entrepot::blob
