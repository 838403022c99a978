#ifndef ENTREPOT_SERVICES_KV_RECORD_IO_H_
#define ENTREPOT_SERVICES_KV_RECORD_IO_H_

#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/string_view.h"
#include "services/kv/kv_engine.h"
#include "services/status/status_macros.h"

// Reads and writes values that are messages of storage/v1.
namespace entrepot::kv {

// kDataLoss, with the key, if the value is not a valid Record.
template <typename Record>
absl::StatusOr<Record> ParseRecord(absl::string_view key, absl::string_view value) {
  Record record;
  if (!record.ParseFromArray(value.data(), static_cast<int>(value.size()))) {
    return absl::DataLossError(absl::StrCat("the record ", absl::CHexEscape(key), " cannot be read"));
  }
  return record;
}

// nullopt if the key does not exist.
template <typename Record>
absl::StatusOr<std::optional<Record>> ReadRecord(KvReader& kv, absl::string_view key) {
  ASSIGN_OR_RETURN(const std::optional<std::string> value, kv.Get(key));
  if (!value.has_value()) return std::nullopt;
  ASSIGN_OR_RETURN(Record record, ParseRecord<Record>(key, *value));
  return record;
}

template <typename Record>
void WriteRecord(KvTransaction& transaction, absl::string_view key, const Record& record) {
  transaction.Put(key, record.SerializeAsString());
}

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_RECORD_IO_H_
