#include "services/ctl/restore.h"

#include <filesystem>
#include <memory>
#include <string>
#include <system_error>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/core/files/durable_directory.h"
#include "services/status/status_macros.h"

namespace entrepot::ctl {
namespace {

namespace fs = std::filesystem;

// A copy that gets its name once it is good.
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
    std::error_code error;
    const bool complete = fs::exists(absl::StrCat(backup_, "/kv/CURRENT"), error) &&
                          (!with_blobs_ || fs::exists(absl::StrCat(backup_, "/blobs"), error));
    if (!complete) {
      return absl::InvalidArgumentError(
          absl::StrCat(backup_, " is no backup, or one that was cut off: it has no ",
                       fs::exists(absl::StrCat(backup_, "/kv/CURRENT"), error) ? "blobs" : "kv"));
    }
    if (fs::exists(data_, error) && !(fs::is_directory(data_, error) && fs::is_empty(data_, error))) {
      return absl::InvalidArgumentError(absl::StrCat(data_, " is there, and not empty: nothing is written over"));
    }
    return absl::OkStatus();
  }

  absl::Status Make(const Pace& pace) const {
    RETURN_IF_ERROR(RemoveTree(partial_));
    const fs::path parent = fs::path(data_).parent_path();
    if (!parent.empty()) RETURN_IF_ERROR(MakeDirectoryDurably(parent));
    return CopyTreeDurably(backup_, partial_, [&](uint64_t bytes) { return pace(1, bytes); });
  }

  absl::Status Name() {
    std::error_code error;
    // Only where it is empty.
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

absl::StatusOr<manifest::v1::InvariantReport> Restore(const RegistryDirectories& backup,
                                                      const RegistryDirectories& data, const Pace& pace) {
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
  ASSIGN_OR_RETURN(manifest::v1::InvariantReport report, CheckOffline(partial, /*rehash=*/true, pace));
  if (!report.violations().empty()) return report;
  if (!backup.accounts.empty()) RETURN_IF_ERROR(CheckAccountsOffline(copies.back()->partial()));
  for (const auto& copy : copies) RETURN_IF_ERROR(copy->Name());
  return report;
}

}  // namespace entrepot::ctl
