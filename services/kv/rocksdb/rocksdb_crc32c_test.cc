#include "services/kv/rocksdb/rocksdb_crc32c.h"

#include <string>

#include "gtest/gtest.h"

namespace entrepot::kv {
namespace {

uint32_t Of(absl::string_view bytes) {
  Crc32c crc;
  crc.Add(bytes);
  return crc.value();
}

// RFC 3720, B.4.
TEST(RocksDbCrc32cTest, KnownAnswers) {
  EXPECT_EQ(Of(""), 0u);
  EXPECT_EQ(Of("123456789"), 0xe3069283u);
  EXPECT_EQ(Of(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Of(std::string(32, '\xff')), 0x62a8ab43u);
}

TEST(RocksDbCrc32cTest, TakesBytesInPieces) {
  Crc32c crc;
  crc.Add("1234");
  crc.Add("");
  crc.Add("56789");
  EXPECT_EQ(crc.value(), 0xe3069283u);
}

}  // namespace
}  // namespace entrepot::kv
