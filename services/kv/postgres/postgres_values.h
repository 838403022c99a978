#ifndef ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_VALUES_H_
#define ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_VALUES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"

// PostgreSQL's binary formats of parameters.
namespace entrepot::kv {

// bigint: 8 bytes, the highest first.
std::string BinaryInt64(int64_t value);
// The value of a bigint; 0 if it has another size.
int64_t ParseBinaryInt64(absl::string_view bytes);

// bytea[], bigint[] and boolean[], of one dimension.
std::string BinaryBytesArray(const std::vector<absl::string_view>& values);
std::string BinaryInt64Array(const std::vector<int64_t>& values);
std::string BinaryBoolArray(const std::vector<bool>& values);

}  // namespace entrepot::kv

#endif  // ENTREPOT_SERVICES_KV_POSTGRES_POSTGRES_VALUES_H_
