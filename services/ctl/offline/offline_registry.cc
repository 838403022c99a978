#include "services/ctl/offline/offline_registry.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "prometheus/registry.h"
#include "services/auth/records/auth_format.h"
#include "services/blob/blob_stack.h"
#include "services/core/files/durable_directory.h"
#include "services/core/time/clock.h"
#include "services/kv/stack/kv_stack.h"
#include "services/manifest/check/catalog_check.h"
#include "services/manifest/check/catalog_invariants.h"
#include "services/manifest/records/catalog_format.h"
#include "services/manifest/scrub/damaged_blobs.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

namespace fs = std::filesystem;

// No upload session expires during a check.
constexpr int64_t kSessionSeconds = 100LL * 365 * 24 * 60 * 60;

std::string KvDirectory(const std::string& data) { return absl::StrCat(data, "/kv"); }

std::string BlobsDirectory(const std::string& data) { return absl::StrCat(data, "/blobs"); }

bool HoldsBlobs(const std::string& data) {
  std::error_code error;
  return fs::is_directory(BlobsDirectory(data), error);
}

// "kv" or "blobs", which a data directory and a backup of it must contain; empty if nothing is missing.
std::string MissingPart(const std::string& data, bool with_kv, bool with_blobs) {
  if (with_kv && !kv::HoldsKvStore(KvDirectory(data))) return "kv";
  return with_blobs && !HoldsBlobs(data) ? "blobs" : "";
}

absl::Status CheckDataDirectory(const std::string& data, bool with_kv, bool with_blobs) {
  const std::string missing = MissingPart(data, with_kv, with_blobs);
  if (missing.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(data, " is not a data directory of a registry: it contains no ", missing));
}

absl::StatusOr<std::unique_ptr<kv::KvStack>> OpenKv(const std::string& data) {
  RETURN_IF_ERROR(CheckDataDirectory(data, /*with_kv=*/true, /*with_blobs=*/false));
  // Each store has metrics of its own: in one registry they would have the same names.
  absl::StatusOr<std::unique_ptr<kv::KvStack>> kv =
      kv::KvStack::Open(KvDirectory(data), std::make_shared<prometheus::Registry>());
  if (!absl::IsUnavailable(kv.status())) return kv;
  return absl::FailedPreconditionError(
      absl::StrCat(kv.status().message(), "; to check a running registry, use its address, without --data"));
}

class Stores {
 public:
  absl::Status Open(const RegistryDirectories& directories) {
    RETURN_IF_ERROR(CheckDataDirectory(directories.blobs, /*with_kv=*/false, /*with_blobs=*/true));
    ASSIGN_OR_RETURN(records_, OpenKv(directories.manifest));
    const absl::Status format = manifest::CheckFormat(*records_->engine());
    if (!format.ok()) {
      return absl::FailedPreconditionError(absl::StrCat(KvDirectory(directories.manifest), ": ", format.message()));
    }
    if (!directories.standalone()) {
      ASSIGN_OR_RETURN(blob_records_, OpenKv(directories.blobs));
    }
    blob::BlobStackOptions options;
    options.directory = BlobsDirectory(directories.blobs);
    options.uploads.mutable_session_lifetime()->set_seconds(kSessionSeconds);
    kv::KvStack& kv = blob_records_ != nullptr ? *blob_records_ : *records_;
    ASSIGN_OR_RETURN(blobs_,
                     blob::BlobStack::Open(options, {.kv = kv.engine(), .clock = &clock_, .registry = metrics_}));
    return absl::OkStatus();
  }

  kv::KvEngine& records() { return *records_->engine(); }
  BlobStorage& objects() { return blobs_->storage(); }
  const Clock& clock() const { return clock_; }

 private:
  const SystemClock clock_;
  const std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  std::unique_ptr<kv::KvStack> records_;
  // Null if the blob service's records are in `records_`.
  std::unique_ptr<kv::KvStack> blob_records_;
  std::unique_ptr<blob::BlobStack> blobs_;
};

// Reads all records of the auth service.
absl::Status CheckAccounts(const std::string& data) {
  ASSIGN_OR_RETURN(const std::unique_ptr<kv::KvStack> records, OpenKv(data));
  const absl::Status format = auth::CheckFormat(*records->engine());
  return absl::Status(format.code(), format.ok() ? "" : absl::StrCat(KvDirectory(data), ": ", format.message()));
}

// Whether there are no violations but damaged blobs.
absl::StatusOr<bool> OnlyBlobsAreDamaged(Stores& stores) {
  ASSIGN_OR_RETURN(const std::vector<std::string> others,
                   manifest::CheckInvariants(stores.records(), {.report_corrupt = false, .violations_max = 1}));
  return others.empty();
}

// Without a change to the copy unless `accept_damaged` and nothing but blobs is damaged.
absl::StatusOr<Restored> CheckCopy(const RegistryDirectories& directories, bool accept_damaged, const Pace& pace) {
  Stores stores;
  RETURN_IF_ERROR(stores.Open(directories));
  Restored restored;
  ASSIGN_OR_RETURN(restored.only_blobs_are_damaged, OnlyBlobsAreDamaged(stores));
  const bool mark = accept_damaged && restored.only_blobs_are_damaged;
  manifest::DamagedBlobs damaged;
  if (mark) {
    ASSIGN_OR_RETURN(damaged, manifest::MarkDamagedBlobs(stores.records(), stores.clock(), stores.objects(), pace));
  }
  ASSIGN_OR_RETURN(restored.report, manifest::CheckCatalog(stores.records(), stores.objects(),
                                                           {.rehash = !mark, .online = false}, pace));
  if (mark) {
    restored.report.mutable_violations()->Assign(damaged.lines.begin(), damaged.lines.end());
    restored.report.set_rehashed_bytes(damaged.verified_bytes);
  }
  ASSIGN_OR_RETURN(const bool marked, manifest::HasAccounts(stores.records()));
  // In a standalone registry, the auth service's records are among them.
  ASSIGN_OR_RETURN(const bool has_auth, auth::HasFormat(stores.records()));
  restored.has_accounts = marked || has_auth;
  return restored;
}

// A copy of a backup beside the data directory that it is to become.
class Copy {
 public:
  Copy(const std::string& backup, const std::string& data, bool with_blobs)
      : backup_(backup),
        data_(absl::StripSuffix(data, "/")),
        partial_(absl::StrCat(data_, ".restoring")),
        with_blobs_(with_blobs) {}
  ~Copy() {
    if (!named_) RemoveTree(partial_).IgnoreError();
  }

  const std::string& partial() const { return partial_; }

  absl::Status Check() const {
    const std::string missing = MissingPart(backup_, /*with_kv=*/true, with_blobs_);
    if (!missing.empty()) {
      return absl::InvalidArgumentError(
          absl::StrCat(backup_, " is not a backup, or is incomplete: it contains no ", missing));
    }
    std::error_code error;
    if (fs::exists(data_, error) && !(fs::is_directory(data_, error) && fs::is_empty(data_, error))) {
      return absl::InvalidArgumentError(absl::StrCat(data_, " exists and is not empty; nothing is overwritten"));
    }
    return absl::OkStatus();
  }

  absl::Status Make(const Pace& pace) const {
    RETURN_IF_ERROR(RemoveTree(partial_));
    const fs::path parent = fs::path(data_).parent_path();
    if (!parent.empty()) RETURN_IF_ERROR(MakeDirectoryDurably(parent));
    return CopyTreeDurably(backup_, partial_, [&](uint64_t bytes) { return pace(1, bytes); });
  }

  // Gives the copy the data directory's name.
  absl::Status Publish() {
    std::error_code error;
    // Removes only an empty directory.
    fs::remove(data_, error);
    RETURN_IF_ERROR(RenameDurably(partial_, data_));
    named_ = true;
    return absl::OkStatus();
  }

 private:
  const std::string backup_;
  const std::string data_;
  const std::string partial_;
  const bool with_blobs_;
  bool named_ = false;
};

}  // namespace

absl::StatusOr<manifest::v1::InvariantReport> CheckOffline(const RegistryDirectories& directories, bool rehash,
                                                           const Pace& pace) {
  Stores stores;
  RETURN_IF_ERROR(stores.Open(directories));
  return manifest::CheckCatalog(stores.records(), stores.objects(), {.rehash = rehash, .online = false}, pace);
}

absl::StatusOr<Restored> Restore(const RegistryDirectories& backup, const RegistryDirectories& data,
                                 bool accept_damaged, const Pace& pace) {
  const bool standalone = backup.standalone();
  std::vector<std::unique_ptr<Copy>> copies;
  copies.push_back(std::make_unique<Copy>(backup.manifest, data.manifest, /*with_blobs=*/standalone));
  if (!standalone) copies.push_back(std::make_unique<Copy>(backup.blobs, data.blobs, /*with_blobs=*/true));
  const RegistryDirectories partial{copies.front()->partial(), copies.back()->partial()};
  if (!backup.accounts.empty()) {
    copies.push_back(std::make_unique<Copy>(backup.accounts, data.accounts, /*with_blobs=*/false));
  }
  for (const auto& copy : copies) RETURN_IF_ERROR(copy->Check());
  for (const auto& copy : copies) RETURN_IF_ERROR(copy->Make(pace));
  ASSIGN_OR_RETURN(Restored restored, CheckCopy(partial, accept_damaged, pace));
  const bool accepted = accept_damaged && restored.only_blobs_are_damaged;
  if (!accepted && !restored.report.violations().empty()) return restored;
  if (!backup.accounts.empty()) {
    RETURN_IF_ERROR(CheckAccounts(copies.back()->partial()));
    restored.has_accounts = true;
  }
  for (const auto& copy : copies) RETURN_IF_ERROR(copy->Publish());
  restored.published = true;
  return restored;
}

}  // namespace entrepot::ctl
