#include "services/runtime/grpc/message_bytes.h"

#include "gtest/gtest.h"

namespace entrepot::runtime {
namespace {

TEST(MessageBytesTest, KeepsToTheBoundsOfBothSides) {
  EXPECT_EQ(MessageBytes(0, 65536), 65536u);
  EXPECT_EQ(MessageBytes(10'000, 65536), 10'000u);
  EXPECT_EQ(MessageBytes(1, 65536), kMessageBytesMin);
  EXPECT_EQ(MessageBytes(1'000'000, 65536), 65536u);
}

}  // namespace
}  // namespace entrepot::runtime
