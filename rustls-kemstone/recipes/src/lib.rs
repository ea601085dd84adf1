//! Nothing: the recipes are tests.
