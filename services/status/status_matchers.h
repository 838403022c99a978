#ifndef ENTREPOT_SERVICES_STATUS_STATUS_MATCHERS_H_
#define ENTREPOT_SERVICES_STATUS_STATUS_MATCHERS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/status/oci_error.h"

// Matchers for absl::Status and absl::StatusOr in tests.
namespace entrepot {

inline absl::Status StatusOf(const absl::Status& status) { return status; }
template <typename T>
absl::Status StatusOf(const absl::StatusOr<T>& result) {
  return result.status();
}

MATCHER(IsOk, negation ? "is an error" : "is OK") {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).ok();
}

// Takes an absl::StatusCode or a matcher of one.
MATCHER_P(StatusIs, code, "has the status code " + ::testing::PrintToString(code)) {
  *result_listener << StatusOf(arg).ToString();
  return ::testing::Matches(code)(StatusOf(arg).code());
}

// Matches a status with the code's canonical absl code that carries the OCI code.
MATCHER_P(IsOciError, code, "is the OCI error " + std::string(GetOciErrorInfo(code).name)) {
  *result_listener << StatusOf(arg).ToString();
  return StatusOf(arg).code() == GetOciErrorInfo(code).status_code && GetOciErrorCode(StatusOf(arg)) == code;
}

// Takes a value or a matcher of one.
MATCHER_P(IsOkAndHolds, value, "is OK and holds " + ::testing::PrintToString(value)) {
  if (!arg.ok()) {
    *result_listener << arg.status().ToString();
    return false;
  }
  return ::testing::ExplainMatchResult(value, *arg, result_listener);
}

#define ASSERT_OK(expr) ASSERT_THAT(expr, ::entrepot::IsOk())
#define EXPECT_OK(expr) EXPECT_THAT(expr, ::entrepot::IsOk())

#define ENTREPOT_TEST_CONCAT_INNER(a, b) a##b
#define ENTREPOT_TEST_CONCAT(a, b) ENTREPOT_TEST_CONCAT_INNER(a, b)
#define ENTREPOT_ASSERT_OK_AND_ASSIGN(result, lhs, expr) \
  auto result = (expr);                                  \
  ASSERT_OK(result);                                     \
  lhs = *std::move(result)
#define ASSERT_OK_AND_ASSIGN(lhs, expr) \
  ENTREPOT_ASSERT_OK_AND_ASSIGN(ENTREPOT_TEST_CONCAT(entrepot_test_result_, __LINE__), lhs, expr)

}  // namespace entrepot

#endif  // ENTREPOT_SERVICES_STATUS_STATUS_MATCHERS_H_
