#include "services/manifest/records/catalog_format.h"

#include <optional>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/manifest_records.pb.h"
#include "services/kv/record_io.h"
#include "services/manifest/records/metadata_keys.h"
#include "services/status/status_macros.h"

namespace entrepot::manifest {
namespace {

using storage::v1::FormatRecord;

absl::Status CheckVersion(const FormatRecord& record) {
  if (record.version() == keys::kFormatVersion) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("the metadata has format ", record.version(),
                                                    ", but this program knows format ", keys::kFormatVersion));
}

absl::Status CheckEmpty(kv::KvReader& kv) {
  for (const absl::string_view prefix : keys::Prefixes()) {
    ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> found,
                     kv.Scan({.prefix = std::string(prefix), .start_after = "", .limit = 1}));
    if (found.empty()) continue;
    return absl::FailedPreconditionError(
        absl::StrCat("the metadata has no format record, but contains ", absl::CHexEscape(found.front().key)));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status EnsureFormat(kv::KvEngine& kv) {
  ASSIGN_OR_RETURN(const std::optional<FormatRecord> before, kv::ReadRecord<FormatRecord>(kv, keys::Format()));
  if (before.has_value()) return CheckVersion(*before);
  return kv.Transact({{keys::Format(), kv::LockMode::kExclusive}}, [](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const std::optional<FormatRecord> now, kv::ReadRecord<FormatRecord>(transaction, keys::Format()));
    if (now.has_value()) return CheckVersion(*now);
    RETURN_IF_ERROR(CheckEmpty(transaction));
    FormatRecord record;
    record.set_version(keys::kFormatVersion);
    kv::WriteRecord(transaction, keys::Format(), record);
    return absl::OkStatus();
  });
}

absl::Status CheckFormat(kv::KvReader& kv) {
  ASSIGN_OR_RETURN(const std::optional<FormatRecord> record, kv::ReadRecord<FormatRecord>(kv, keys::Format()));
  if (record.has_value()) return CheckVersion(*record);
  return absl::FailedPreconditionError("these are not the records of a manifest service");
}

absl::StatusOr<bool> HasAccounts(kv::KvReader& kv) {
  ASSIGN_OR_RETURN(const std::optional<FormatRecord> record, kv::ReadRecord<FormatRecord>(kv, keys::Format()));
  return record.has_value() && record->has_accounts();
}

absl::Status MarkAccounts(kv::KvEngine& kv) {
  return kv.Transact({{keys::Format(), kv::LockMode::kExclusive}}, [](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(std::optional<FormatRecord> record, kv::ReadRecord<FormatRecord>(transaction, keys::Format()));
    if (!record.has_value()) return absl::FailedPreconditionError("these are not the records of a manifest service");
    record->set_has_accounts(true);
    kv::WriteRecord(transaction, keys::Format(), *record);
    return absl::OkStatus();
  });
}

}  // namespace entrepot::manifest
