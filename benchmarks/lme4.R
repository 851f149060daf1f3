# Times lme4 on the pupils that the benchmark wrote: Rscript lme4.R FOLDER COVARIATE...
# FOLDER holds one file of doubles a column, which R reads faster than any table of text.
library(lme4)
given <- commandArgs(trailingOnly = TRUE)
folder <- given[1]
covariates <- given[-1]
started <- proc.time()[["elapsed"]]
read <- function(name) {
  path <- file.path(folder, name)
  readBin(path, "double", n = file.size(path) / 8)
}
pupils <- as.data.frame(sapply(c("score", "school", covariates), read, simplify = FALSE))
pupils$school <- factor(pupils$school)
reading <- proc.time()[["elapsed"]] - started
formula <- reformulate(c(covariates, "(1 | school)"), "score")
started <- proc.time()[["elapsed"]]
fit <- lmer(formula, pupils, REML = TRUE)
fitting <- proc.time()[["elapsed"]] - started
variances <- as.data.frame(VarCorr(fit))$vcov
number <- function(x) paste(sprintf("%.17g", x), collapse = ", ")
cat(sprintf(
  '{"read_seconds": %s, "fit_seconds": %s, "variances": [%s], "estimates": [%s], "criterion": %s, "lme4": "%s", "r": "%s"}\n',
  number(reading), number(fitting), number(variances), number(fixef(fit)), number(REMLcrit(fit)),
  packageVersion("lme4"), getRversion()
))
