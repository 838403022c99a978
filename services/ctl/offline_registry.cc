#include "services/ctl/offline_registry.h"

#include <filesystem>
#include <system_error>
#include <utility>

#include "absl/strings/str_cat.h"
#include "prometheus/registry.h"
#include "services/auth/records/auth_format.h"
#include "services/blob/blob_stack.h"
#include "services/core/time/clock.h"
#include "services/kv/stack/kv_stack.h"
#include "services/manifest/check/catalog_check.h"
#include "services/manifest/records/catalog_format.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

namespace fs = std::filesystem;

// No upload expires while somebody only looks.
constexpr int64_t kForeverSeconds = 100LL * 365 * 24 * 60 * 60;

absl::Status CheckThere(const std::string& data, const std::string& below) {
  std::error_code error;
  if (fs::exists(absl::StrCat(data, "/", below), error)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrCat(data, " is no data directory of a registry: it has no ", fs::path(below).parent_path().string()));
}

// The metrics of two in one registry would be told apart by nothing.
absl::StatusOr<std::unique_ptr<kv::KvStack>> OpenKv(const std::string& data) {
  RETURN_IF_ERROR(CheckThere(data, "kv/CURRENT"));
  absl::StatusOr<std::unique_ptr<kv::KvStack>> kv =
      kv::KvStack::Open(absl::StrCat(data, "/kv"), std::make_shared<prometheus::Registry>());
  if (!absl::IsUnavailable(kv.status())) return kv;
  return absl::FailedPreconditionError(
      absl::StrCat(kv.status().message(), "; a registry that runs is checked without --data, through its address"));
}

class Stores {
 public:
  absl::Status Open(const RegistryDirectories& directories) {
    RETURN_IF_ERROR(CheckThere(directories.blobs, "blobs/."));
    ASSIGN_OR_RETURN(records_, OpenKv(directories.manifest));
    const absl::Status format = manifest::CheckFormat(*records_->engine());
    if (!format.ok()) {
      return absl::FailedPreconditionError(absl::StrCat(directories.manifest, "/kv: ", format.message()));
    }
    if (!directories.standalone()) {
      ASSIGN_OR_RETURN(blob_records_, OpenKv(directories.blobs));
    }
    blob::BlobStackOptions options;
    options.directory = absl::StrCat(directories.blobs, "/blobs");
    options.uploads.mutable_session_lifetime()->set_seconds(kForeverSeconds);
    kv::KvStack& kv = blob_records_ != nullptr ? *blob_records_ : *records_;
    ASSIGN_OR_RETURN(blobs_,
                     blob::BlobStack::Open(options, {.kv = kv.engine(), .clock = &clock_, .registry = metrics_}));
    return absl::OkStatus();
  }

  kv::KvReader& records() { return *records_->engine(); }
  BlobStorage& objects() { return blobs_->storage(); }

 private:
  const SystemClock clock_;
  const std::shared_ptr<prometheus::Registry> metrics_ = std::make_shared<prometheus::Registry>();
  std::unique_ptr<kv::KvStack> records_;
  std::unique_ptr<kv::KvStack> blob_records_;  // Null where they are among the others.
  std::unique_ptr<blob::BlobStack> blobs_;
};

}  // namespace

absl::StatusOr<manifest::v1::InvariantReport> CheckOffline(const RegistryDirectories& directories, bool rehash,
                                                           const Pace& pace) {
  Stores stores;
  RETURN_IF_ERROR(stores.Open(directories));
  return manifest::CheckCatalog(stores.records(), stores.objects(), {.rehash = rehash, .online = false}, pace);
}

absl::Status CheckAccountsOffline(const std::string& directory) {
  ASSIGN_OR_RETURN(const std::unique_ptr<kv::KvStack> records, OpenKv(directory));
  const absl::Status format = auth::CheckFormat(*records->engine());
  return absl::Status(format.code(), format.ok() ? "" : absl::StrCat(directory, "/kv: ", format.message()));
}

}  // namespace entrepot::ctl
