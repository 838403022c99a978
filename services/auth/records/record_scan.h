#ifndef ENTREPOT_SERVICES_AUTH_RECORDS_RECORD_SCAN_H_
#define ENTREPOT_SERVICES_AUTH_RECORDS_RECORD_SCAN_H_

#include <functional>
#include <string>
#include <type_traits>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "services/kv/kv_engine.h"
#include "services/kv/record_io.h"
#include "services/status/status_macros.h"

namespace entrepot::auth {

// Calls `visit(key, value)` for every key with the prefix, in order, page by page.
inline absl::Status ForEachValue(kv::KvReader& kv, const std::string& prefix,
                                 const std::function<absl::Status(const kv::KeyValue&)>& visit) {
  kv::ScanOptions options{.prefix = prefix};
  while (true) {
    ASSIGN_OR_RETURN(const std::vector<kv::KeyValue> page, kv.Scan(options));
    for (const kv::KeyValue& entry : page) RETURN_IF_ERROR(visit(entry));
    if (page.size() < options.limit) return absl::OkStatus();
    options.start_after = page.back().key;
  }
}

// The same for records. `visit` gets what follows the prefix in the key, and the record.
template <typename Record>
absl::Status ForEachRecord(
    kv::KvReader& kv, const std::string& prefix,
    const std::function<absl::Status(absl::string_view, const std::type_identity_t<Record>&)>& visit) {
  return ForEachValue(kv, prefix, [&](const kv::KeyValue& entry) -> absl::Status {
    ASSIGN_OR_RETURN(const Record record, kv::ParseRecord<Record>(entry.key, entry.value));
    return visit(absl::string_view(entry.key).substr(prefix.size()), record);
  });
}

}  // namespace entrepot::auth

#endif  // ENTREPOT_SERVICES_AUTH_RECORDS_RECORD_SCAN_H_
