#include "services/kv/postgres/postgres_values.h"

#include <limits>

#include "gtest/gtest.h"

namespace entrepot::kv {
namespace {

TEST(PostgresValuesTest, IntegersHaveTheHighestByteFirst) {
  EXPECT_EQ(BinaryInt64(0x0102030405060708), "\x01\x02\x03\x04\x05\x06\x07\x08");
  EXPECT_EQ(BinaryInt64(-1), std::string(8, '\xff'));
  for (const int64_t value :
       {int64_t{0}, int64_t{-5}, std::numeric_limits<int64_t>::min(), std::numeric_limits<int64_t>::max()}) {
    EXPECT_EQ(ParseBinaryInt64(BinaryInt64(value)), value);
  }
  EXPECT_EQ(ParseBinaryInt64("123"), 0);
}

TEST(PostgresValuesTest, ArraysHaveAHeaderAndElementsWithLengths) {
  EXPECT_EQ(BinaryBytesArray({}), std::string("\0\0\0\0\0\0\0\0\0\0\0\x11", 12));
  EXPECT_EQ(BinaryBytesArray({"ab", ""}), std::string("\0\0\0\x01\0\0\0\0\0\0\0\x11\0\0\0\x02\0\0\0\x01\0\0\0\x02"
                                                      "ab\0\0\0\0",
                                                      30));
  EXPECT_EQ(BinaryInt64Array({1}),
            std::string("\0\0\0\x01\0\0\0\0\0\0\0\x14\0\0\0\x01\0\0\0\x01\0\0\0\x08", 24) + BinaryInt64(1));
  EXPECT_EQ(BinaryBoolArray({true, false}),
            std::string("\0\0\0\x01\0\0\0\0\0\0\0\x10\0\0\0\x02\0\0\0\x01\0\0\0\x01\x01\0\0\0\x01\0", 30));
}

}  // namespace
}  // namespace entrepot::kv
