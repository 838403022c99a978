#include "services/kv/postgres/postgres_status.h"

#include <string>

#include "absl/strings/cord.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "services/status/oci_error.h"

namespace entrepot::kv {
namespace {

constexpr char kConnectionLostUrl[] = "entrepot/postgres-connection-lost";

// serialization_failure, deadlock_detected, lock_not_available.
bool IsConflict(absl::string_view sqlstate) {
  return sqlstate == "40001" || sqlstate == "40P01" || sqlstate == "55P03";
}

// data_corrupted, index_corrupted.
bool IsCorruption(absl::string_view sqlstate) { return sqlstate == "XX001" || sqlstate == "XX002"; }

// undefined_table, invalid_schema_name, invalid_catalog_name, insufficient_privilege.
bool IsMissingSchema(absl::string_view sqlstate) {
  return sqlstate == "42P01" || sqlstate == "3F000" || sqlstate == "3D000" || sqlstate == "42501";
}

// Insufficient resources, operator intervention, system errors, transactions in the wrong state.
bool IsServersFault(absl::string_view sqlstate) {
  return absl::StartsWith(sqlstate, "53") || absl::StartsWith(sqlstate, "57") || absl::StartsWith(sqlstate, "58") ||
         absl::StartsWith(sqlstate, "25");
}

}  // namespace

absl::Status FromSqlState(absl::string_view sqlstate, absl::string_view message) {
  const std::string text = absl::StrCat("PostgreSQL: ", message, sqlstate.empty() ? "" : " (SQLSTATE ", sqlstate,
                                        sqlstate.empty() ? "" : ")");
  if (EndsSession(sqlstate) || IsReadOnly(sqlstate)) return ConnectionLost(text);
  if (IsConflict(sqlstate)) return absl::AbortedError(text);
  if (IsCorruption(sqlstate)) return absl::DataLossError(text);
  if (IsMissingSchema(sqlstate)) {
    return absl::FailedPreconditionError(absl::StrCat(text, ": see entrepotctl schema show"));
  }
  if (IsServersFault(sqlstate)) return DatabaseUnavailable(text);
  return absl::InternalError(text);
}

bool EndsSession(absl::string_view sqlstate) {
  return sqlstate.empty() || absl::StartsWith(sqlstate, "08") || sqlstate == "57P01" || sqlstate == "57P02" ||
         sqlstate == "57P03" || sqlstate == "57P05" || sqlstate == "25P03";
}

bool IsReadOnly(absl::string_view sqlstate) { return sqlstate == "25006"; }

absl::Status ConnectionLost(absl::string_view message) {
  absl::Status status = absl::AbortedError(message);
  status.SetPayload(kConnectionLostUrl, absl::Cord());
  return status;
}

bool IsConnectionLost(const absl::Status& status) { return status.GetPayload(kConnectionLostUrl).has_value(); }

absl::Status DatabaseUnavailable(absl::string_view message) {
  return OciError(OciErrorCode::kUnavailable, message, "the database of the registry cannot be used now");
}

absl::Status DatabaseBusy(absl::string_view message) { return OciError(OciErrorCode::kUnavailable, message, message); }

}  // namespace entrepot::kv
