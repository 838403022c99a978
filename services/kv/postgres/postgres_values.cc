#include "services/kv/postgres/postgres_values.h"

#include <cstddef>

namespace entrepot::kv {
namespace {

// PostgreSQL's identifiers of types never change.
constexpr uint32_t kBoolType = 16;
constexpr uint32_t kBytesType = 17;
constexpr uint32_t kInt64Type = 20;

template <typename Unsigned>
void Append(Unsigned value, std::string* out) {
  for (int shift = 8 * (sizeof(value) - 1); shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>((value >> shift) & 0xff));
  }
}

// The header of an array of one dimension without NULLs. An array without elements has no dimension.
std::string ArrayHeader(uint32_t type, size_t count) {
  std::string array;
  Append<uint32_t>(count == 0 ? 0 : 1, &array);
  Append<uint32_t>(0, &array);
  Append<uint32_t>(type, &array);
  if (count > 0) {
    Append<uint32_t>(static_cast<uint32_t>(count), &array);
    Append<uint32_t>(1, &array);
  }
  return array;
}

}  // namespace

std::string BinaryInt64(int64_t value) {
  std::string bytes;
  Append<uint64_t>(static_cast<uint64_t>(value), &bytes);
  return bytes;
}

int64_t ParseBinaryInt64(absl::string_view bytes) {
  if (bytes.size() != 8) return 0;
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<unsigned char>(byte);
  return static_cast<int64_t>(value);
}

std::string BinaryBytesArray(const std::vector<absl::string_view>& values) {
  std::string array = ArrayHeader(kBytesType, values.size());
  size_t size = array.size();
  for (const absl::string_view value : values) size += 4 + value.size();
  array.reserve(size);
  for (const absl::string_view value : values) {
    Append<uint32_t>(static_cast<uint32_t>(value.size()), &array);
    array.append(value.data(), value.size());
  }
  return array;
}

std::string BinaryInt64Array(const std::vector<int64_t>& values) {
  std::string array = ArrayHeader(kInt64Type, values.size());
  for (const int64_t value : values) {
    Append<uint32_t>(8, &array);
    Append<uint64_t>(static_cast<uint64_t>(value), &array);
  }
  return array;
}

std::string BinaryBoolArray(const std::vector<bool>& values) {
  std::string array = ArrayHeader(kBoolType, values.size());
  for (const bool value : values) {
    Append<uint32_t>(1, &array);
    array.push_back(value ? 1 : 0);
  }
  return array;
}

}  // namespace entrepot::kv
