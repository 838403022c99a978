#include "services/auth/records/auth_format.h"

#include <optional>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "entrepot/storage/v1/auth_records.pb.h"
#include "services/auth/records/auth_keys.h"
#include "services/auth/records/record_scan.h"
#include "services/kv/record_io.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {
namespace {

using storage::v1::AuthFormatRecord;

absl::Status CheckVersion(const AuthFormatRecord& record) {
  if (record.version() == keys::kFormatVersion) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat("the accounts' records have format ", record.version(),
                                                    ", but this program knows format ", keys::kFormatVersion));
}

absl::Status CheckEmpty(kv::KvReader& kv) {
  ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> found,
                   kv.Scan({.prefix = keys::Everything(), .start_after = "", .limit = 1}));
  if (found.empty()) return absl::OkStatus();
  return absl::FailedPreconditionError(absl::StrCat(
      "the accounts' records have no format record, but they contain the key ", absl::CHexEscape(found.front().key)));
}

}  // namespace

absl::Status EnsureFormat(kv::KvEngine& kv) {
  return kv.Transact({kv::Lock{.key = keys::Format()}}, [](kv::KvTransaction& transaction) -> absl::Status {
    ASSIGN_OR_RETURN(const std::optional<AuthFormatRecord> now,
                     kv::ReadRecord<AuthFormatRecord>(transaction, keys::Format()));
    if (now.has_value()) return CheckVersion(*now);
    RETURN_IF_ERROR(CheckEmpty(transaction));
    AuthFormatRecord record;
    record.set_version(keys::kFormatVersion);
    kv::WriteRecord(transaction, keys::Format(), record);
    return absl::OkStatus();
  });
}

absl::Status CheckFormat(kv::KvReader& kv) {
  ASSIGN_OR_RETURN(const std::optional<AuthFormatRecord> record, kv::ReadRecord<AuthFormatRecord>(kv, keys::Format()));
  if (!record.has_value()) return absl::FailedPreconditionError("the directory contains no records of an auth service");
  RETURN_IF_ERROR(CheckVersion(*record));
  return ForEachValue(kv, keys::Everything(), [](const kv::KeyValue&) { return absl::OkStatus(); });
}

absl::StatusOr<bool> HasFormat(kv::KvReader& kv) {
  ASSIGN_OR_RETURN(const std::optional<std::string> record, kv.Get(keys::Format()));
  return record.has_value();
}

}  // namespace entrepot::auth
