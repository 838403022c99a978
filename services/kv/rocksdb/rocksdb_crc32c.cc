#include "services/kv/rocksdb/rocksdb_crc32c.h"

#include <array>

namespace entrepot::kv {
namespace {

constexpr uint32_t kPolynomial = 0x82f63b78;

constexpr std::array<uint32_t, 256> MakeTable() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ (crc & 1 ? kPolynomial : 0);
    table[byte] = crc;
  }
  return table;
}

constexpr std::array<uint32_t, 256> kTable = MakeTable();

}  // namespace

void Crc32c::Add(absl::string_view bytes) {
  for (const char byte : bytes) state_ = (state_ >> 8) ^ kTable[(state_ ^ static_cast<uint8_t>(byte)) & 0xff];
}

}  // namespace entrepot::kv
