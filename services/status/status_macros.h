#ifndef ENTREPOT_SERVICES_STATUS_STATUS_MACROS_H_
#define ENTREPOT_SERVICES_STATUS_STATUS_MACROS_H_

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

// Returns from the enclosing function (or, with CO_, coroutine) if the expression's status is not OK.
#define ENTREPOT_STATUS_CONCAT_INNER(a, b) a##b
#define ENTREPOT_STATUS_CONCAT(a, b) ENTREPOT_STATUS_CONCAT_INNER(a, b)

#define RETURN_IF_ERROR(expr)                                           \
  do {                                                                  \
    if (absl::Status entrepot_status = (expr); !entrepot_status.ok()) { \
      return entrepot_status;                                           \
    }                                                                   \
  } while (false)

#define CO_RETURN_IF_ERROR(expr)                                        \
  do {                                                                  \
    if (absl::Status entrepot_status = (expr); !entrepot_status.ok()) { \
      co_return entrepot_status;                                        \
    }                                                                   \
  } while (false)

#define ENTREPOT_ASSIGN_OR(keyword, result, lhs, expr) \
  auto result = (expr);                                \
  if (!result.ok()) keyword result.status();           \
  lhs = *std::move(result)

#define ASSIGN_OR_RETURN(lhs, expr) \
  ENTREPOT_ASSIGN_OR(return, ENTREPOT_STATUS_CONCAT(entrepot_result_, __LINE__), lhs, expr)

#define CO_ASSIGN_OR_RETURN(lhs, expr) \
  ENTREPOT_ASSIGN_OR(co_return, ENTREPOT_STATUS_CONCAT(entrepot_result_, __LINE__), lhs, expr)

#endif  // ENTREPOT_SERVICES_STATUS_STATUS_MACROS_H_
