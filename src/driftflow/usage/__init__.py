"""What running code uses: a search of the repository, and the queries that the server has recorded. Evidence, never proof of disuse."""
