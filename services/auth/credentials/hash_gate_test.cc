#include "services/auth/credentials/hash_gate.h"

#include <optional>
#include <thread>
#include <utility>

#include "gtest/gtest.h"
#include "services/core/time/eventually.h"
#include "services/status/oci_error.h"
#include "services/status/status_matchers.h"

namespace entrepot::auth {
namespace {

TEST(HashGateTest, LimitsTheNumberInside) {
  HashGate gate(2, 0);
  ASSERT_OK_AND_ASSIGN(std::optional<HashGate::Slot> first, gate.Enter());
  ASSERT_OK_AND_ASSIGN(const HashGate::Slot second, gate.Enter());
  EXPECT_EQ(gate.inside(), 2u);
  EXPECT_THAT(gate.Enter(), IsOciError(OciErrorCode::kTooManyRequests));
  first.reset();
  EXPECT_EQ(gate.inside(), 1u);
  EXPECT_OK(gate.Enter());
  EXPECT_EQ(gate.inside(), 1u);
}

TEST(HashGateTest, LimitsTheNumberWaiting) {
  HashGate gate(1, 2);
  ASSERT_OK_AND_ASSIGN(std::optional<HashGate::Slot> inside, gate.Enter());
  std::thread one([&] { EXPECT_OK(gate.Enter()); });
  std::thread two([&] { EXPECT_OK(gate.Enter()); });
  EXPECT_TRUE(Eventually([&] { return gate.waiting() >= 2; }));
  EXPECT_THAT(gate.Enter(), IsOciError(OciErrorCode::kTooManyRequests));
  EXPECT_EQ(gate.inside(), 1u);
  inside.reset();
  one.join();
  two.join();
  EXPECT_EQ(gate.waiting(), 0u);
  EXPECT_EQ(gate.inside(), 0u);
}

}  // namespace
}  // namespace entrepot::auth
